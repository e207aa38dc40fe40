package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// How values are kept in columns. A uuid is given as id[:], since its own
// driver.Value would be 36 characters.

// micros is the column of a time.
func micros(t time.Time) int64 { return t.UnixMicro() }

// fromMicros reads what micros wrote.
func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// fromOptional reads a time that may be null, which is the zero time.
func fromOptional(n *int64) time.Time {
	if n == nil {
		return time.Time{}
	}
	return fromMicros(*n)
}

// legs is the column of a set of legs, whose top bit is never set.
func legs(l booking.Legs) int64 { return int64(l) } //nolint:gosec // MaxLegs is 63

// fromLegs reads what legs wrote.
func fromLegs(n int64) booking.Legs { return booking.Legs(n) } //nolint:gosec // as written

// trainID lets a train id be scanned as the uuid it is.
func trainID(id *booking.TrainID) *uuid.UUID { return (*uuid.UUID)(id) }

// list is the column of a slice.
func list[T any](items []T) (string, error) {
	b, err := json.Marshal(items)
	if err != nil {
		return "", fmt.Errorf("encode list: %w", err)
	}
	return string(b), nil
}

// fromList reads what list wrote.
func fromList[T any](text string) (items []T, err error) {
	if err := json.Unmarshal([]byte(text), &items); err != nil {
		return nil, fmt.Errorf("decode list: %w", err)
	}
	return items, nil
}

// page reads one page of a list ordered by (time, id). The last three parameters of
// the query are the time and the id that the page comes after, and the number of rows.
func page[T any](
	ctx context.Context, c *conn, request booking.PageRequest,
	scan func(row) (T, error), cursor func(T) booking.Cursor, text string, args ...any,
) (booking.Page[T], error) {
	rows := -1 // all
	if request.Limit > 0 {
		rows = request.Limit + 1 // the one more tells that there are more
	}
	args = append(args, micros(request.After.At), request.After.ID[:], rows)
	items, err := all(ctx, c, scan, text, args...)
	if err != nil {
		return booking.Page[T]{}, err
	}
	return booking.PageOf(items, request.Limit, cursor), nil
}
