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

const (
	// A response with more items than fewItems needs a slot.
	fewItems = booking.DefaultPageLimit
	// maxSlotWait is how long a request waits for a slot. It leaves time for the response.
	maxSlotWait = 3 * time.Second
	// itemsPerTurn is how many items of a page are encoded in a turn, a fraction of a millisecond.
	itemsPerTurn = 32
	// restPerTurn is how many times as long as the turn the rest is that follows it while other requests
	// are in progress: so a list takes a thirty-second part of a processor.
	restPerTurn = 31
)

var errTooManyItems = errors.New("too many long lists are read at the same time")

// newEncodingSlots returns the slots for encoding responses of many items: for half of the processors.
// They take a processor for milliseconds, and a sale needs one many times for microseconds. Without a
// limit, a sale would queue behind the clients who read lists.
func newEncodingSlots() chan struct{} { return make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)) }

// okMany is ok for a number of items. Error: unavailable if they are many and too many others wait.
func (s *Server) okMany(ctx context.Context, items int, encode func() []byte) (response, error) {
	if items > fewItems {
		s.longLists.Add(1)
		recordOf(ctx).longList = true // until the response is sent
		if err := s.acquireEncodingSlot(ctx); err != nil {
			return response{}, err
		}
		defer func() { <-s.encodingSlots }()
	}
	return response{status: http.StatusOK, body: encode()}, nil
}

func (s *Server) acquireEncodingSlot(ctx context.Context) error {
	wait := time.NewTimer(maxSlotWait)
	defer wait.Stop()
	select {
	case s.encodingSlots <- struct{}{}:
		return nil
	case <-wait.C:
		return booking.Unavailable(booking.OutcomeNotExecuted, time.Second, errTooManyItems)
	case <-ctx.Done():
		return booking.Timeout(ctx.Err())
	}
}

// list returns the response with a page: {"items":[…],"next_cursor":"…"}, with "incomplete":true if
// some items could not be read. Errors as okMany.
func list[In, Out any](
	ctx context.Context, s *Server, of pageRequest, page booking.Page[In], convert func(In) Out,
) (response, error) {
	return s.okMany(ctx, len(page.Items), func() []byte { return encodePage(of, page, convert, s.rest) })
}

// rest lets other requests run after a turn.
func (s *Server) rest(turn time.Duration) {
	if s.requests.Load() > s.longLists.Load() {
		<-time.After(restPerTurn * turn)
	} else {
		runtime.Gosched()
	}
}

// encodePage encodes a page in turns, after each of which it calls rest.
func encodePage[In, Out any](
	of pageRequest, page booking.Page[In], convert func(In) Out, rest func(turn time.Duration),
) []byte {
	var b bytes.Buffer
	b.WriteString(`{"items":[`)
	began := time.Now()
	for i, item := range page.Items {
		if i > 0 {
			b.WriteByte(',')
		}
		encodeTo(&b, convert(item))
		if (i+1)%itemsPerTurn == 0 {
			rest(time.Since(began))
			began = time.Now()
		}
	}
	b.WriteString(`],`)
	end := encode(struct {
		NextCursor string `json:"next_cursor"` // empty on the last page
		Incomplete bool   `json:"incomplete,omitempty"`
	}{page.Next.In(of.list), page.Incomplete})
	b.Write(end[1:])
	return b.Bytes()
}

// pageRequest asks for a page of a list.
type pageRequest struct {
	booking.PageRequest
	list booking.List
}

// page decodes limit and cursor of a list.
func (d *decoder) page(list booking.List) pageRequest { return d.pageOf(list, booking.PageRequest{}) }

// pageOf is page for a list in the order and state of a request.
func (d *decoder) pageOf(list booking.List, of booking.PageRequest) pageRequest {
	page := pageRequest{of, list}
	page.Limit = booking.DefaultPageLimit
	if d.has("limit") {
		page.Limit = d.int("limit", booking.MaxPageLimit)
	}
	text, _ := d.optionalString("cursor")
	after, err := booking.ParseCursor(text, list)
	if err != nil {
		d.fieldError("cursor", "is not a cursor of this list in this order")
	}
	page.After = after
	return page
}
