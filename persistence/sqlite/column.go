package sqlite

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// This file converts values to and from columns. A uuid is passed as id[:], because its
// driver.Value has 36 characters.

// micros encodes a time.
func micros(t time.Time) int64 { return t.UnixMicro() }

// fromMicros is the inverse of micros.
func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// optional encodes a nullable time; the zero time is null.
func optional(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return micros(t)
}

// fromOptional decodes a nullable time; null is the zero time.
func fromOptional(n *int64) time.Time {
	if n == nil {
		return time.Time{}
	}
	return fromMicros(*n)
}

// trainID returns a destination for scanning a train id.
func trainID(id *booking.TrainID) *uuid.UUID { return (*uuid.UUID)(id) }

// listed is a table of the trains of an idList and their places in it.
const listed = `(SELECT key AS place, unhex(value) AS train_id FROM json_each(?))`

// idList encodes ids as a JSON list of hexadecimal numbers, for json_each and unhex.
func idList[T ~[16]byte](ids []T) (string, error) {
	digits := make([]string, len(ids))
	for i, id := range ids {
		digits[i] = hex.EncodeToString(id[:])
	}
	return persistence.EncodeList(digits)
}

// page reads one page of a list ordered by (time, id), in the order of the query. The last three
// parameters of the query are the time and the id that the page comes after, and the number of
// rows.
func page[T any](
	ctx context.Context, c *conn, request booking.PageRequest,
	scan func(row) (T, error), cursor func(T) booking.Cursor, text string, args ...any,
) (booking.Page[T], error) {
	rows := -1 // all
	if request.Limit > 0 {
		rows = request.Limit + 1 // one more, to find out whether there is a next page
	}
	start := request.Start()
	args = append(args, micros(start.At), start.ID[:], rows)
	items, err := all(ctx, c, scan, text, args...)
	if err != nil {
		return booking.Page[T]{}, err
	}
	return booking.PageOf(items, request.Limit, cursor), nil
}
