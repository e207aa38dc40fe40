package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"runtime"
	"time"

	"trainbooking.dev/booking"
)

// maxPageWait is how long a request waits until the pages of others are encoded.
const maxPageWait = time.Second

var errTooManyPages = errors.New("too many lists are read at the same time")

// newPageSlots returns what limits the pages that are encoded at a time: to half of the processors.
// A page takes a processor for milliseconds, and a sale needs one many times for microseconds. Without
// a limit, a sale would queue behind the clients who read lists.
func newPageSlots() chan struct{} { return make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)) }

// list returns the response with a page: {"items":[…],"next_cursor":"…"}, with "incomplete":true if
// some items could not be read. Error: unavailable if too many others wait.
func list[In, Out any](
	ctx context.Context, s *Server, page booking.Page[In], convert func(In) Out,
) (response, error) {
	wait := time.NewTimer(maxPageWait)
	defer wait.Stop()
	select {
	case s.pageSlots <- struct{}{}:
		defer func() { <-s.pageSlots }()
		return response{status: http.StatusOK, body: encodePage(page, convert)}, nil
	case <-wait.C:
		return response{}, booking.Unavailable(booking.OutcomeNotExecuted, maxPageWait, errTooManyPages)
	case <-ctx.Done():
		return response{}, booking.Timeout(ctx.Err())
	}
}

// itemsPerTurn is how many items of a page are encoded before other goroutines run.
const itemsPerTurn = 16

func encodePage[In, Out any](page booking.Page[In], convert func(In) Out) []byte {
	var b bytes.Buffer
	b.WriteString(`{"items":[`)
	for i, item := range page.Items {
		if i > 0 {
			b.WriteByte(',')
		}
		encodeTo(&b, convert(item))
		if i%itemsPerTurn == 0 {
			runtime.Gosched()
		}
	}
	b.WriteString(`],`)
	end := encode(struct {
		NextCursor string `json:"next_cursor"` // empty on the last page
		Incomplete bool   `json:"incomplete,omitempty"`
	}{page.Next.String(), page.Incomplete})
	b.Write(end[1:])
	return b.Bytes()
}

// page decodes limit and cursor.
func (d *decoder) page() booking.PageRequest {
	page := booking.PageRequest{Limit: booking.DefaultPageLimit}
	if d.has("limit") {
		page.Limit = d.int("limit", booking.MaxPageLimit)
	}
	text, _ := d.optionalString("cursor")
	after, err := booking.ParseCursor(text)
	if err != nil {
		d.fieldError("cursor", "is not a cursor of this list")
	}
	page.After = after
	return page
}
