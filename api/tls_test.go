package api_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
)

// overTLS starts a listener of the real server with TLS and a tenth of its timeouts.
func (s *testServer) overTLS(tb testing.TB) *httptest.Server {
	tb.Helper()
	listener := httptest.NewUnstartedServer(nil)
	listener.Config, listener.Listener = s.server.HTTPServer(), api.Listener(listener.Listener)
	shorten(listener.Config)
	listener.EnableHTTP2 = true
	listener.StartTLS()
	tb.Cleanup(listener.Close)
	return listener
}

// dialTLS opens a connection and finishes its handshake. protocol is h2 or http/1.1.
func dialTLS(tb testing.TB, listener *httptest.Server, protocol string) *tls.Conn {
	tb.Helper()
	settings := listener.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	settings.ServerName, settings.NextProtos = "example.com", []string{protocol}
	conn := tls.Client(dial(tb, listener.Listener.Addr().String()), settings)
	require.NoError(tb, conn.HandshakeContext(tb.Context()))
	require.Equal(tb, protocol == "h2", conn.ConnectionState().NegotiatedProtocol == "h2")
	return conn
}

func TestLimitOfHeadersHoldsOverHTTP2(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tlsServer := s.overTLS(t)
	s.url, s.client = tlsServer.URL, tlsServer.Client()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/healthz", http.NoBody)
	require.NoError(t, err)
	resp, err := s.client.Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "HTTP/2.0 200", resp.Proto+" "+resp.Status[:3])

	long := s.do(t, request{method: "GET", path: "/healthz", header: http.Header{"X": {strings.Repeat("a", 17<<10)}}})
	requireProblem(t, 431, booking.CodeTooLarge, "The header of a request has at most 16384 bytes", long)
	s.requireOthersServed(t)
}

func TestSlowClientsOfTLSAreDisconnected(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	listener, token := s.overTLS(t), s.user(t, "asha")
	address := listener.Listener.Addr().String()
	var ends []net.Conn
	for range 5 {
		silent, handshaking := dial(t, address), dial(t, address)
		_, err := io.WriteString(handshaking, "\x16\x03\x01\x02\x00\x01") // the begin of a ClientHello
		require.NoError(t, err)
		slow := dialTLS(t, listener, "http/1.1")
		sendSlowly(t, slow, "GET /healthz HTTP/1.1\r\nX: ")
		idle := dialTLS(t, listener, "h2")
		_, err = io.WriteString(idle, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
		require.NoError(t, err)
		ends = append(ends, silent, handshaking, slow, idle)
	}
	s.requireOthersServed(t)
	for _, conn := range ends {
		require.NotContains(t, readAll(t, conn), "200 OK")
	}

	// The body of a stream of HTTP/2 has a deadline too.
	body, writer := io.Pipe()
	t.Cleanup(func() { _ = writer.Close() })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, listener.URL+"/v1/holds", body)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := listener.Client().Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, 2, resp.ProtoMajor)
	require.Equal(t, 400, resp.StatusCode)
	require.Contains(t, string(text), "ended early or arrived too slowly")
}

func TestClientOfTLSThatClosesItsSendingSideGetsItsResponse(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	conn := dialTLS(t, s.overTLS(t), "http/1.1")
	_, err := fmt.Fprintf(conn, "POST /user/register/ HTTP/1.1\r\nHost: test\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(ashaRegisters), ashaRegisters)
	require.NoError(t, err)
	require.NoError(t, conn.CloseWrite())
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 201, resp.StatusCode)
}

// A stream outlives the deadlines of requests, and ends when its client leaves.
func TestStreamOverHTTP2LastsAsLongAsItsClient(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.server.SetStreams(time.Second, deadline, 1) // one watcher at a time
	token, train := s.user(t, "asha"), s.train(t, "Delhi", "Mumbai")
	listener := s.overTLS(t)
	open := func() (*http.Response, context.CancelFunc) {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, listener.URL+"/v1/trains/"+train.String()+"/events", http.NoBody)
		require.NoError(t, err)
		resp, err := listener.Client().Do(r)
		require.NoError(t, err)
		require.Equal(t, 2, resp.ProtoMajor)
		return resp, cancel
	}
	resp, leave := open()
	require.Equal(t, 200, resp.StatusCode)
	stream := bufio.NewReader(resp.Body)
	for heartbeats := 0; heartbeats < 7; { // seconds: longer than the write timeout of 6 s
		if strings.Join(nextLines(t, stream), "") == ":" {
			heartbeats++
		}
	}
	require.Equal(t, 200, s.post(t, token, "/train/book-ticket/", `{"train_id":"`+train.String()+`","seat_number":1}`).status)
	for !strings.Contains(strings.Join(nextLines(t, stream), " "), `"seat_number":1`) {
		continue
	}
	leave()
	_ = resp.Body.Close()
	require.Eventually(t, func() bool {
		again, leave := open()
		defer leave()
		_ = again.Body.Close()
		return again.StatusCode == 200
	}, deadline, 10*time.Millisecond, "the watcher is still counted")
}
