package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"trainbooking.dev/booking"
)

// How values are kept in columns. A uuid is given as id(u) and read through
// (*[16]byte)(&u): google/uuid's own driver.Valuer would send 36 characters.

// id is the column of a uuid and of a train id.
func id[T ~[16]byte](u T) [16]byte { return u }

// fromTime is a time as Go code here has it: Postgres keeps microseconds, and the
// driver gives them the time zone of the process.
func fromTime(t time.Time) time.Time { return t.UTC() }

// fromOptional reads a time that may be null, which is the zero time.
func fromOptional(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return fromTime(*t)
}

// legs is the column of a set of legs, whose top bit is never set.
func legs(l booking.Legs) int64 { return int64(l) } //nolint:gosec // MaxLegs is 63

// fromLegs reads what legs wrote.
func fromLegs(n int64) booking.Legs { return booking.Legs(n) } //nolint:gosec // as written

// list is the column of a slice of structs.
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

// page reads one page of a list ordered by (time, id). The first three parameters of
// the query are the time and the id that the page comes after, and the number of rows
// (null: all).
func page[T any](
	ctx context.Context, c *conn, request booking.PageRequest,
	scan func(row) (T, error), cursor func(T) booking.Cursor, text string, args ...any,
) (booking.Page[T], error) {
	var rows *int // all
	if request.Limit > 0 {
		rows = new(request.Limit + 1) // the one more tells that there are more
	}
	args = append([]any{request.After.At, id(request.After.ID), rows}, args...)
	items, err := all(ctx, c, scan, text, args...)
	if err != nil {
		return booking.Page[T]{}, err
	}
	return booking.PageOf(items, request.Limit, cursor), nil
}
