package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"trainbooking.dev/booking"
)

const (
	// streamSilence is the time without a byte after which a stream is taken for dead: three heartbeats.
	streamSilence = 45 * time.Second
	// The pauses between attempts to open a stream again, and the time after which the client gives up.
	minReopen   = 100 * time.Millisecond
	maxReopen   = 5 * time.Second
	reopenLimit = time.Minute
)

// WatchSeats watches the seats of a segment. It opens a stream. When the stream breaks, it opens another
// one, which continues after the last event. If that fails for a minute, Next returns the reason. The watch
// has a goroutine until it is closed.
func (c *Client) WatchSeats(
	ctx context.Context, id booking.TrainID, from, to string, after booking.EventID,
) (booking.SeatWatch, error) {
	query := url.Values{}
	if from != "" {
		query.Set("from", from)
	}
	if to != "" {
		query.Set("to", to)
	}
	w := &seatWatch{client: c, last: after, events: make(chan *booking.SeatEvent), request: request{
		operation: "WatchSeats", method: http.MethodGet, path: trainPath(id) + "/events", query: query, public: true,
	}}
	w.ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, w.cancel)
	defer stop()
	stream, err := w.open()
	if err != nil {
		w.cancel()
		return nil, err
	}
	go w.run(stream)
	return w, nil
}

// seatWatch is a booking.SeatWatch.
type seatWatch struct {
	client  *Client
	request request
	ctx     context.Context //nolint:containedctx // until Close
	cancel  context.CancelFunc
	last    booking.EventID
	events  chan *booking.SeatEvent // closed after the last one
	err     error                   // set before events is closed
}

// Next implements booking.SeatWatch.
func (w *seatWatch) Next(ctx context.Context) (*booking.SeatEvent, error) {
	select {
	case e, more := <-w.events:
		if !more {
			return nil, w.err
		}
		return e, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close implements booking.SeatWatch.
func (w *seatWatch) Close() { w.cancel() }

// run reads streams until the last event, or until the watch is closed.
func (w *seatWatch) run(stream io.ReadCloser) {
	defer close(w.events)
	for {
		if w.err = w.read(stream); errors.Is(w.err, io.EOF) || w.ctx.Err() != nil {
			return
		}
		if stream, w.err = w.reopen(); w.err != nil {
			return
		}
	}
}

// reopen opens the stream again.
func (w *seatWatch) reopen() (reopened io.ReadCloser, err error) {
	began := time.Now()
	for pause := minReopen; ; pause = min(2*pause, maxReopen) {
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-w.ctx.Done():
			wait.Stop()
			return nil, w.ctx.Err()
		}
		if reopened, err = w.open(); err == nil {
			return reopened, nil
		}
		e, known := errors.AsType[*booking.Error](err)
		if known && e.Code != booking.CodeUnavailable && e.Code != booking.CodeTimeout || time.Since(began) > reopenLimit {
			if known && e.Cause != nil { // it may be io.EOF, which would be the end of the watch
				e.Cause = errors.New(e.Cause.Error())
			}
			return nil, err
		}
	}
}

// stream is the body of a response whose request ends when it is closed.
type stream struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (s stream) Close() error {
	s.cancel()
	return s.ReadCloser.Close()
}

// open opens the stream after the last event. Error: a *booking.Error, also if the header of the response does
// not arrive in time.
func (w *seatWatch) open() (_ io.ReadCloser, err error) {
	c := w.client
	ctx, cancel := context.WithCancel(w.ctx)
	late := time.AfterFunc(c.timeout, cancel)
	defer late.Stop()
	defer func() {
		if err != nil {
			cancel()
		}
	}()
	out, err := c.newHTTPRequest(ctx, w.request)
	if err != nil {
		return nil, err
	}
	out.Header.Set("Accept", "text/event-stream, application/problem+json")
	if w.last != (booking.EventID{}) {
		out.Header.Set("Last-Event-ID", w.last.String())
	}
	done := c.onCall(Call{w.request.operation, w.request.user, w.request.method, out.URL.String(), ""})
	resp, err := c.do(out, 0)
	if err != nil {
		done(Result{0, err})
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		done(Result{resp.StatusCode, nil})
		return stream{resp.Body, cancel}, nil
	}
	defer resp.Body.Close()
	got := response{status: resp.StatusCode}
	if got.body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody)); err != nil {
		err = noResponse(err)
	} else {
		err = newError(got, resp.Header)
	}
	done(Result{got.status, err})
	return nil, err
}

// read reads a stream. The error is io.EOF after the last event.
func (w *seatWatch) read(stream io.ReadCloser) error {
	defer stream.Close()
	silence := time.AfterFunc(streamSilence, func() { stream.Close() })
	defer silence.Stop()
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, maxBody)
	fields := map[string]string{}
	for lines.Scan() {
		silence.Reset(streamSilence)
		if line := lines.Text(); line != "" {
			name, value, _ := strings.Cut(line, ":")
			fields[name] = strings.TrimPrefix(value, " ")
			continue
		}
		if fields["event"] == "" { // a heartbeat
			continue
		}
		e, err := parseEvent(fields)
		if err != nil {
			return err
		}
		select {
		case w.events <- e:
		case <-w.ctx.Done():
			return w.ctx.Err()
		}
		w.last = e.ID
		if clear(fields); e.Type.Last() {
			return io.EOF
		}
	}
	return errors.Join(io.ErrUnexpectedEOF, lines.Err())
}

func parseEvent(fields map[string]string) (*booking.SeatEvent, error) {
	e := &booking.SeatEvent{Type: booking.SeatEventType(fields["event"]), ID: booking.ParseEventID(fields["id"])}
	var in struct {
		From, To string
		Seats    []booking.Seat
	}
	if err := json.Unmarshal([]byte(fields["data"]), &in); err != nil {
		return nil, fmt.Errorf("invalid event: %w", err)
	}
	e.From, e.To, e.Seats = in.From, in.To, in.Seats
	return e, nil
}
