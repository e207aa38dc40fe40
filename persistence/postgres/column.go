package postgres

import (
	"context"
	"time"

	"trainbooking.dev/booking"
)

// This file converts values to and from columns. A uuid is passed as id(u) and scanned into
// (*[16]byte)(&u), because its driver.Valuer sends 36 characters.

// id encodes a uuid or train id.
func id[T ~[16]byte](u T) [16]byte { return u }

// fromTime decodes a time, to which the driver gives the time zone of the process.
func fromTime(t time.Time) time.Time { return t.UTC() }

// fromOptional decodes a nullable time; null is the zero time.
func fromOptional(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return fromTime(*t)
}

// page reads one page of a list ordered by (time, id), in the order of the query. The first
// three parameters of the query are the time and the id that the page comes after, and the number
// of rows (null: all).
func page[T any](
	ctx context.Context, c *conn, request booking.PageRequest,
	scan func(row) (T, error), cursor func(T) booking.Cursor, text string, args ...any,
) (booking.Page[T], error) {
	var rows *int // all
	if request.Limit > 0 {
		rows = new(request.Limit + 1) // one more, to find out whether there is a next page
	}
	start := request.Start()
	args = append([]any{start.At, id(start.ID), rows}, args...)
	items, err := all(ctx, c, scan, text, args...)
	if err != nil {
		return booking.Page[T]{}, err
	}
	return booking.PageOf(items, request.Limit, cursor), nil
}
