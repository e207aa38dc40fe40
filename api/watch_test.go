package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// streamOf opens a stream of events.
func (s *testServer) streamOf(t *testing.T, train booking.TrainID, lastEvent string) (http.Header, *bufio.Reader) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/v1/trains/"+train.String()+"/events", nil)
	require.NoError(t, err)
	if lastEvent != "" {
		r.Header.Set("Last-Event-ID", lastEvent)
	}
	resp, err := s.client.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	require.Equal(t, 200, resp.StatusCode)
	stream := bufio.NewReader(resp.Body)
	require.Regexp(t, `^retry: [1-4]\d{3}$`, nextLines(t, stream)[0])
	return resp.Header, stream
}

// nextEvent returns the lines of the next event, which openapi.yaml describes.
func nextEvent(t *testing.T, stream *bufio.Reader) []string {
	t.Helper()
	lines := nextLines(t, stream)
	event := map[string]any{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		event[name] = value
	}
	for _, kind := range loadSpec(t).Components.Schemas["SeatEvent"].Value.OneOf {
		if kind.Value.VisitJSON(event, openapi3.EnableJSONSchema2020()) != nil {
			continue
		}
		if content := kind.Value.Properties["data"].Value.ContentSchema; content != nil {
			var data any
			require.NoError(t, json.Unmarshal([]byte(event["data"].(string)), &data))
			require.NoError(t, content.Value.VisitJSON(data, openapi3.EnableJSONSchema2020()), lines)
		}
		return lines
	}
	require.Fail(t, "openapi.yaml does not describe the event", lines)
	return nil
}

// nextLines returns the lines until an empty one.
func nextLines(t *testing.T, stream *bufio.Reader) (lines []string) {
	t.Helper()
	for {
		line, err := stream.ReadString('\n')
		require.NoError(t, err)
		if line == "\n" {
			return lines
		}
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
}

func TestStreamHasServerSentEvents(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token, train := s.user(t, "asha"), s.train(t, "Delhi", "Mumbai")
	header, stream := s.streamOf(t, train, "")
	require.Equal(t, "text/event-stream", header.Get("Content-Type"))
	require.Equal(t, "no-store", header.Get("Cache-Control"))
	require.Equal(t, "no", header.Get("X-Accel-Buffering"))
	first := nextEvent(t, stream)
	require.Equal(t, "event: seats", first[0])
	id := strings.TrimPrefix(first[1], "id: ")
	var data struct {
		TrainID            string `json:"train_id"`
		From, To, Revision string
		Seats              []booking.Seat
	}
	require.NoError(t, json.Unmarshal([]byte(strings.TrimPrefix(first[2], "data: ")), &data))
	require.Equal(t, []string{train.String(), "Delhi", "Mumbai", id}, []string{data.TrainID, data.From, data.To, data.Revision})
	require.Equal(t, booking.Seat{Number: 1, State: booking.SeatAvailable}, data.Seats[0])

	s.lock(t, token, train, "5")
	second := nextEvent(t, stream)
	require.Equal(t, "event: seat", second[0])
	require.Equal(t, `data: {"seats":[{"seat_number":5,"state":"held"}]}`, second[2])
	require.NotContains(t, strings.Join(second, ""), token)

	_, again := s.streamOf(t, train, id)
	require.Equal(t, second, nextEvent(t, again))
	_, unknown := s.streamOf(t, train, "x-y")
	require.Equal(t, "event: seats", nextEvent(t, unknown)[0])
	_, unknown = s.streamOf(t, train, "9-9")
	require.Equal(t, "event: resync", nextEvent(t, unknown)[0])

	admin := s.admin(t)
	require.Equal(t, 204, s.do(t, request{method: "DELETE", path: "/v1/trains/" + train.String(), token: admin}).status)
	last := nextEvent(t, stream)
	for last[0] == "event: seat" { // the hold has ended
		last = nextEvent(t, stream)
	}
	require.Equal(t, "event: withdrawn", last[0])
	_, err := stream.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}

func TestIdleStreamHasHeartbeats(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.server.SetStreams(10*time.Millisecond, time.Minute, 2)
	train := s.train(t, "Delhi", "Mumbai")
	_, stream := s.streamOf(t, train, "")
	nextLines(t, stream)
	require.Equal(t, []string{":"}, nextLines(t, stream))
	require.Equal(t, []string{":"}, nextLines(t, stream))

	head := s.do(t, request{method: "HEAD", path: "/v1/trains/" + train.String() + "/events"})
	require.Equal(t, 200, head.status)
	require.Empty(t, head.text)
	_, second := s.streamOf(t, train, "")
	nextLines(t, second)
	refused := s.get(t, "", "/v1/trains/"+train.String()+"/events")
	requireProblem(t, 503, booking.CodeUnavailable, "", refused)
	require.Equal(t, "10", refused.header.Get("Retry-After"))
	require.Contains(t, s.operations(t, false, "/metrics").text, "trainbooking_watchers 2\n")
	require.Contains(t, s.operations(t, false, "/metrics").text, "trainbooking_http_requests_in_flight 0\n")
}

func TestWatcherThatDoesNotReadIsDropped(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct {
		capacity  int
		heartbeat time.Duration
	}{"a large event": {booking.MaxCapacity, time.Minute}, "many small events": {1, time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireDropped(t, of.capacity, of.heartbeat)
		})
	}
}

func requireDropped(t *testing.T, capacity int, heartbeat time.Duration) {
	t.Helper()
	s := newTestServer(t)
	s.server.SetStreams(heartbeat, 50*time.Millisecond, 10)
	train, err := s.trains.CreateTrain(t.Context(), booking.Train{
		Name: "Rajdhani", Capacity: capacity, OnSale: true, Stops: []booking.Stop{{Station: "A"}, {Station: "B"}},
	})
	require.NoError(t, err)
	clients := s.server.HTTPServer()
	clients.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		_ = c.(*net.TCPConn).SetWriteBuffer(4096)
		return ctx
	}
	connection, err := net.Dial("tcp", serve(t, clients))
	require.NoError(t, err)
	defer connection.Close()
	require.NoError(t, connection.(*net.TCPConn).SetReadBuffer(4096))
	_, err = io.WriteString(connection, "GET /v1/trains/"+train.ID.String()+"/events HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return strings.Contains(s.operations(t, false, "/metrics").text, "trainbooking_watchers_dropped_total 1\n")
	}, 20*time.Second, 10*time.Millisecond)
	require.Contains(t, s.operations(t, false, "/metrics").text, "trainbooking_watchers 0\n")
}

// serve serves until the server is shut down, or the test ends, and returns the address.
func serve(t *testing.T, server *http.Server) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	return listener.Addr().String()
}

func TestShutdownEndsStreams(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	train := s.train(t, "Delhi", "Mumbai")
	clients := s.server.HTTPServer()
	s.url = "http://" + serve(t, clients)
	_, stream := s.streamOf(t, train, "")
	nextLines(t, stream)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, clients.Shutdown(ctx))
	_, err := stream.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}
