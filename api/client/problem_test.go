package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/client"
	"trainbooking.dev/booking"
)

// codes returns the codes of openapi.yaml. A test of package api compares them with the
// server's table.
func codes(tb testing.TB) (codes []booking.Code) {
	tb.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("../openapi.yaml")
	require.NoError(tb, err)
	for _, code := range doc.Components.Schemas["Code"].Value.Enum {
		codes = append(codes, booking.Code(code.(string)))
	}
	require.NotEmpty(tb, codes)
	return codes
}

// failingList is a service whose ListTrains fails.
type failingList struct {
	booking.Service
	err func(from string) error
}

func (f failingList) ListTrains(_ context.Context, q booking.TrainQuery) (booking.Page[booking.Availability], error) {
	return booking.Page[booking.Availability]{}, f.err(q.From)
}

func TestEveryErrorIsReturnedAsTheServersError(t *testing.T) {
	t.Parallel()
	sent := func(code string) *booking.Error {
		return &booking.Error{
			Code: booking.Code(code), Message: "A sentence", Fields: map[string]string{"name": "is wrong", "stops[3]": "too"},
			Seats: []int{3, 5}, BecomesFreeAt: time.Date(2040, 5, 1, 6, 0, 0, 123e6, time.UTC),
			SalesOpenAt: time.Date(2040, 5, 1, 6, 0, 0, 456e6, time.UTC), RetryAfter: 7 * time.Second, Outcome: booking.OutcomeNotExecuted,
		}
	}
	s := newTestServer(t, rules(), func(real booking.Service) booking.Service {
		return failingList{real, func(code string) error { return sent(code) }}
	})
	c := s.open(t)
	for _, code := range codes(t) {
		_, err := c.ListTrains(t.Context(), booking.TrainQuery{From: string(code), To: "B"})
		got, ours := errors.AsType[*booking.Error](err)
		require.True(t, ours, code)
		want := sent(string(code))
		require.Equal(t, want.Code, got.Code)
		require.NotEmpty(t, got.Message)
		require.Equal(t, want.Fields, got.Fields)
		require.Equal(t, want.Seats, got.Seats)
		require.Equal(t, want.BecomesFreeAt, got.BecomesFreeAt)
		require.Equal(t, want.SalesOpenAt, got.SalesOpenAt)
		switch code {
		case booking.CodeUnavailable, booking.CodeStorageFull:
			require.Equal(t, want.RetryAfter, got.RetryAfter)
			require.Equal(t, want.Outcome, got.Outcome)
		case booking.CodeRateLimited, booking.CodeTooManyHolds:
			require.Equal(t, want.RetryAfter, got.RetryAfter)
			require.Empty(t, got.Outcome)
		case booking.CodeTimeout, booking.CodeInternal:
			require.Equal(t, booking.OutcomeUnknown, got.Outcome)
		default:
			require.Zero(t, got.RetryAfter)
			require.Empty(t, got.Outcome)
		}
	}
}

// requireUnknown checks an error with outcome unknown.
func requireUnknown(tb testing.TB, code booking.Code, err error, what ...any) {
	tb.Helper()
	requireOutcome(tb, code, booking.OutcomeUnknown, err, what...)
}

func requireOutcome(tb testing.TB, code booking.Code, outcome booking.Outcome, err error, what ...any) {
	tb.Helper()
	got, ours := errors.AsType[*booking.Error](err)
	require.True(tb, ours, what...)
	require.Equal(tb, code, got.Code, what...)
	require.Equal(tb, outcome, got.Outcome, what...)
	require.NotEmpty(tb, got.Message)
	require.Error(tb, got.Cause, "the error has a cause")
}

// newClient returns a client of a server with this handler.
func newClient(tb testing.TB, handler http.HandlerFunc) *client.Client {
	tb.Helper()
	server := httptest.NewServer(handler)
	tb.Cleanup(server.Close)
	return open(tb, func(o *client.Options) { o.URL = server.URL })
}

func TestResponseFromElsewhereHasOutcomeUnknown(t *testing.T) {
	t.Parallel()
	const problem, problemType = `{"type":"about:blank","status":404,"code":"not_found","error":"No such train"}`, "application/problem+json"
	for name, row := range map[string]struct {
		status     int
		mime, body string
		code       booking.Code
	}{
		"a proxy's 404":         {404, "text/html", "<h1>Not found</h1>", booking.CodeUnavailable},
		"a problem as JSON":     {404, "application/json", problem, booking.CodeUnavailable},
		"a problem without one": {404, problemType, "", booking.CodeUnavailable},
		"a problem, no code":    {404, problemType, `{"status":404}`, booking.CodeUnavailable},
		"another's problem":     {409, problemType, problem, booking.CodeUnavailable},
		"a proxy's 502":         {502, "text/html", "", booking.CodeUnavailable},
		"a proxy's 504":         {504, "text/html", "", booking.CodeTimeout},
		"a redirect":            {307, "text/html", "", booking.CodeUnavailable},
		"a page to log in":      {200, "text/html", "<h1>Hotel</h1>", booking.CodeUnavailable},
		"another document":      {200, "application/json", `{}`, booking.CodeUnavailable},
		"null":                  {200, "application/json", `null`, booking.CodeUnavailable},
		"a list":                {200, "application/json", `[]`, booking.CodeUnavailable},
		"half a document":       {200, "application/json", `{"id":"10d37399-`, booking.CodeUnavailable},
		"nothing":               {200, "application/json", ``, booking.CodeUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requests := 0
			c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
				requests++
				w.Header().Set("Location", "/elsewhere")
				w.Header().Set("Content-Type", row.mime)
				w.Header().Set("Retry-After", "3")
				w.WriteHeader(row.status)
				_, _ = io.WriteString(w, row.body)
			})
			train := draft()
			_, err := c.FindTrain(t.Context(), train.ID)
			requireUnknown(t, row.code, err)
			require.Equal(t, 1, requests, "a redirect is not followed")
			_, _, err = c.PutTrain(t.Context(), train)
			requireUnknown(t, row.code, err)
			_, err = c.Hold(t.Context(), booking.HoldRequest{Train: train.ID, Seats: []int{1}})
			requireUnknown(t, row.code, err)
			_, err = c.Confirm(t.Context(), booking.HoldRef{Train: train.ID, Hold: booking.NewHoldID(train.ID)})
			requireUnknown(t, row.code, err)
			requireUnknown(t, row.code, c.DeleteTrain(t.Context(), train.ID, false))
			_, err = c.UserBookings(t.Context(), uuid.Nil, booking.PageRequest{})
			requireUnknown(t, row.code, err)
			if row.body != "[]" { // a valid response of get-trains
				_, err = c.Search(t.Context(), "A", "C", time.Time{})
				requireUnknown(t, row.code, err)
			}
			_, err = c.SeatMap(t.Context(), train.ID, "", "")
			requireUnknown(t, row.code, err)
		})
	}
}

func TestUnknownCodeIsPassedOn(t *testing.T) {
	t.Parallel()
	c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, `{"status":409,"code":"snow_on_the_line","error":"Snow on the line","depth":3}`)
	})
	_, err := c.FindTrain(t.Context(), booking.NewTrainID())
	require.Equal(t, booking.Code("snow_on_the_line"), booking.CodeOf(err))
}

func TestEndlessBodyIsNotReadToTheEnd(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer close(closed)
		spaces := strings.Repeat(" ", 1<<20)
		for {
			if _, err := io.WriteString(w, spaces); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	c := open(t, func(o *client.Options) { o.URL, o.Timeout = server.URL, time.Minute })
	_, err := c.FindTrain(t.Context(), booking.NewTrainID())
	requireUnknown(t, booking.CodeUnavailable, err)
	<-closed
}

func TestClosedConnectionLeavesTheOutcomeUnknown(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"before the response": "",
		"in the header":       "HTTP/1.1 200 OK\r\nContent-Ty",
		"in the body":         "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"id\"",
		"no HTTP":             "SSH-2.0-OpenSSH_9.6\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
				connection, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					panic(err)
				}
				_, _ = io.WriteString(connection, text)
				_ = connection.Close()
			})
			_, _, err := c.PutTrain(t.Context(), draft())
			requireUnknown(t, booking.CodeUnavailable, err)
			_, err = c.FindTrain(t.Context(), booking.NewTrainID())
			requireUnknown(t, booking.CodeUnavailable, err)
		})
	}
}

func TestTimeoutAndCancellationAreDifferentErrors(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	short := open(t, func(o *client.Options) { o.URL, o.Timeout = server.URL, time.Second }) // time to connect
	_, _, err := short.PutTrain(t.Context(), draft())
	requireUnknown(t, booking.CodeTimeout, err)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	<-arrived

	c := open(t, func(o *client.Options) { o.URL = server.URL })
	deadline := expiring{t.Context(), make(chan struct{})}
	go func() {
		<-arrived
		close(deadline.over)
	}()
	_, _, err = c.PutTrain(deadline, draft())
	requireUnknown(t, booking.CodeTimeout, err, "the caller's own deadline")

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	_, _, err = c.PutTrain(ctx, draft())
	requireUnknown(t, booking.CodeUnavailable, err)
	require.ErrorIs(t, err, context.Canceled)
	_, _, err = c.PutTrain(ctx, draft())
	requireOutcome(t, booking.CodeUnavailable, booking.OutcomeNotExecuted, err, "cancelled before the request")
}

// expiring is a context whose deadline passes when over is closed.
type expiring struct {
	context.Context
	over chan struct{}
}

func (e expiring) Done() <-chan struct{} { return e.over }

func (e expiring) Err() error {
	select {
	case <-e.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestRequestThatWasNotSentWasNotExecuted(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := "http://" + listener.Addr().String()
	require.NoError(t, listener.Close())
	refused := open(t, func(o *client.Options) { o.URL = address })
	_, _, err = refused.PutTrain(t.Context(), draft())
	requireOutcome(t, booking.CodeUnavailable, booking.OutcomeNotExecuted, err)

	unreachable := open(t, func(o *client.Options) {
		o.URL, o.Timeout = address, 10*time.Millisecond
		o.HTTP = &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			},
		}}
	})
	_, _, err = unreachable.PutTrain(t.Context(), draft())
	requireOutcome(t, booking.CodeUnavailable, booking.OutcomeNotExecuted, err, "no connection in time")

	noToken := open(t, func(o *client.Options) {
		o.URL = address
		o.Token = func(context.Context, uuid.UUID) (string, error) { return "", errors.New("no such file") }
	})
	_, _, err = noToken.PutTrain(t.Context(), draft())
	requireOutcome(t, booking.CodeUnavailable, booking.OutcomeNotExecuted, err)
	require.ErrorContains(t, err, "no such file")

	late := draft()
	late.Stops[0].DepartsAt = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	_, _, err = refused.PutTrain(t.Context(), late)
	require.Equal(t, booking.CodeInvalidRequest, booking.CodeOf(err), "a year that JSON cannot represent")
}

// A RoundTripper that does not call the httptrace hooks may have sent the request.
func TestErrorOfARoundTripperWithoutHooksHasOutcomeUnknown(t *testing.T) {
	t.Parallel()
	c := open(t, func(o *client.Options) {
		o.URL, o.HTTP = "http://localhost", &http.Client{Transport: noHooks{}}
	})
	_, _, err := c.PutTrain(t.Context(), draft())
	requireUnknown(t, booking.CodeUnavailable, err)
}

type noHooks struct{}

func (noHooks) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("something: %w", &net.OpError{Op: "dial", Err: errors.New("refused")})
}
