package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v4"

	"trainbooking.dev/booking"
)

// streamLimits are the limits of the streams of a process.
type streamLimits struct {
	// heartbeat is the time without events after which a stream sends a comment. So proxies keep the stream
	// open, and a client that has gone is noticed.
	heartbeat time.Duration
	// patience is how long a client may take to read an event. After that it is disconnected.
	patience time.Duration
	// watchers is the largest number of streams. Each takes a connection and about 40 kB of memory.
	watchers int64
}

// After a time between these two, a client whose stream has ended connects again: those of a process that
// was restarted do not come back all at once.
const (
	minReconnect = time.Second
	maxReconnect = 5 * time.Second
)

var defaultStreams = streamLimits{heartbeat: 15 * time.Second, patience: 30 * time.Second, watchers: 10_000}

var errTooManyWatchers = errors.New("too many clients watch trains")

// watchersPause is how long a watcher that was refused waits before it tries again.
const watchersPause = 10 * time.Second

type watchRequest struct {
	id       booking.TrainID
	from, to string
	after    booking.EventID
}

func (in *watchRequest) decode(d *decoder) {
	in.id = d.pathTrainID()
	in.from, in.to = d.segment()
	in.after = booking.ParseEventID(d.header.Get("Last-Event-ID"))
}

// watchSeats streams the changes of the seats of a train, as server-sent events.
func (s *Server) watchSeats(ctx context.Context, _ *call, in watchRequest) (response, error) {
	if s.watchers.Add(1) > s.streams.watchers {
		s.watchers.Add(-1)
		return response{}, booking.Unavailable(booking.OutcomeNotExecuted, watchersPause, errTooManyWatchers)
	}
	watch, err := s.service.WatchSeats(ctx, in.id, in.from, in.to, in.after)
	if err != nil {
		s.watchers.Add(-1)
		return response{}, err
	}
	return response{status: http.StatusOK, header: eventStream, stream: func(ctx context.Context, w http.ResponseWriter) error {
		defer s.watchers.Add(-1)
		defer watch.Close()
		return s.streamEvents(ctx, in.id, watch, w)
	}}, nil
}

// eventStream has the headers of a stream. nginx buffers a response unless it has the second one.
var eventStream = http.Header{"Content-Type": {"text/event-stream"}, "X-Accel-Buffering": {"no"}}

// writeStream sends the header and the stream of a response, until the client closes the connection or this
// server shuts down.
func (s *Server) writeStream(r response, w http.ResponseWriter, request *http.Request) error {
	ctx, cancel := context.WithCancel(request.Context())
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	recordOf(ctx).streamed = true
	s.requests.Add(-1)
	s.metrics.inFlight.Dec()
	defer s.requests.Add(1)
	defer s.metrics.inFlight.Inc()
	if request.Method == http.MethodHead {
		cancel()
	}
	maps.Copy(w.Header(), r.header)
	w.WriteHeader(r.status)
	return r.stream(ctx, w)
}

// streamEvents sends events until the last one, or until ctx ends.
func (s *Server) streamEvents(
	ctx context.Context, train booking.TrainID, watch booking.SeatWatch, w http.ResponseWriter,
) error {
	if wrapper, ok := w.(*echo.Response); ok {
		w = wrapper.Writer // Echo's Flush returns no error
	}
	connection := http.NewResponseController(w)
	// The read timeout of the request must not end the stream. The header is sent now, because a client that
	// resumes may wait long for its next event.
	retry := fmt.Appendf(nil, "retry: %d\n\n", (minReconnect + rand.N(maxReconnect-minReconnect)).Milliseconds()) //nolint:gosec // it spreads load
	if err := errors.Join(connection.SetReadDeadline(time.Time{}), write(w, retry), connection.Flush()); err != nil {
		return err
	}
	for ctx.Err() == nil {
		text, err := s.nextEvent(ctx, train, watch)
		if err != nil {
			return nil // the stream ends; the client connects again, and then gets the error
		}
		if err := errors.Join(
			connection.SetWriteDeadline(time.Now().Add(s.streams.patience)),
			write(w, text), connection.Flush(),
		); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				s.metrics.dropped.Inc()
			}
			return err
		}
		s.metrics.events.Inc()
	}
	return nil
}

func write(w io.Writer, text []byte) error {
	_, err := w.Write(text)
	return err
}

// nextEvent returns the text of the next event, or a comment if there is none for a heartbeat.
func (s *Server) nextEvent(ctx context.Context, train booking.TrainID, watch booking.SeatWatch) ([]byte, error) {
	next, cancel := context.WithTimeout(ctx, s.streams.heartbeat)
	defer cancel()
	e, err := watch.Next(next)
	switch {
	case err == nil:
		if e.Type.Whole() && len(e.Seats) > fewItems {
			if err := s.acquireEncodingSlot(ctx); err != nil {
				return nil, err
			}
			defer func() { <-s.encodingSlots }()
		}
		return e.Memo.Get(func() []byte { return encodeEvent(train, e) }), nil
	case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		return []byte(":\n\n"), nil
	}
	return nil, err
}

// wholeResponse is the data of an event with every seat.
type wholeResponse struct {
	TrainID  booking.TrainID `json:"train_id"`
	From     string          `json:"from"`
	To       string          `json:"to"`
	Revision string          `json:"revision"`
	Seats    []booking.Seat  `json:"seats"`
}

// seatsResponse is the data of an event with some seats.
type seatsResponse struct {
	Seats []booking.Seat `json:"seats"`
}

// encodeEvent returns an event in the format of WHATWG HTML, 9.2.6. The JSON has no line breaks.
func encodeEvent(train booking.TrainID, e *booking.SeatEvent) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "event: %s\nid: %s\ndata: ", e.Type, e.ID)
	switch {
	case e.Type.Whole():
		encodeTo(&b, wholeResponse{train, e.From, e.To, e.ID.String(), e.Seats})
	case e.Type.Last():
		b.WriteString("{}")
	default:
		encodeTo(&b, seatsResponse{e.Seats})
	}
	b.WriteString("\n\n")
	return b.Bytes()
}
