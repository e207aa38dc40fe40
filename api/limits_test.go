package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// deadline limits the wait for anything that must happen.
const deadline = 30 * time.Second

// shortTimeouts starts a listener of the real server with a tenth of its timeouts, so that
// tests see them expire.
func (s *testServer) shortTimeouts(tb testing.TB) (address string) {
	tb.Helper()
	server := s.server.HTTPServer()
	shorten(server)
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) }) // returns when the server is closed
	tb.Cleanup(func() {
		_ = server.Close()
		serving.Wait()
	})
	return listener.Addr().String()
}

// shorten makes timeouts a tenth of what they are, and that of idle connections 2 s.
func shorten(server *http.Server) {
	for _, timeout := range []*time.Duration{&server.ReadHeaderTimeout, &server.ReadTimeout, &server.WriteTimeout} {
		*timeout /= 10
	}
	server.IdleTimeout /= 60
}

// dial opens a connection with a deadline.
func dial(tb testing.TB, address string) net.Conn {
	tb.Helper()
	conn, err := new(net.Dialer).DialContext(tb.Context(), "tcp", address)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = conn.Close() })
	require.NoError(tb, conn.SetDeadline(time.Now().Add(deadline)))
	return conn
}

// sendSlowly writes text and then a byte every 20 ms until the server closes the connection.
func sendSlowly(tb testing.TB, conn net.Conn, text string) {
	tb.Helper()
	_, err := io.WriteString(conn, text)
	require.NoError(tb, err)
	ended := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if _, err := io.WriteString(conn, "a"); err != nil {
					return
				}
			case <-ended:
				return
			}
		}
	})
	tb.Cleanup(func() {
		close(ended)
		sending.Wait()
	})
}

// readAll reads until the server closes or resets the connection. It fails the test if the
// connection is still open at the deadline.
func readAll(tb testing.TB, conn net.Conn) string {
	tb.Helper()
	text, err := io.ReadAll(conn)
	timeout, ok := err.(net.Error) //nolint:errorlint // net returns it bare
	require.False(tb, ok && timeout.Timeout(), "the connection is still open, after %q", text)
	return string(text)
}

// requireOthersServed checks that the server still responds to normal clients.
func (s *testServer) requireOthersServed(tb testing.TB) {
	tb.Helper()
	for _, path := range []string{"/healthz", "/v1/trains"} {
		require.Equal(tb, 200, s.get(tb, "", path).status)
	}
}

func TestConnectionWithASlowHeaderIsClosed(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	address := s.shortTimeouts(t)
	var conns []net.Conn
	for range 10 {
		for _, begin := range []string{
			"", "G", "GET /healthz", "GET /healthz HTTP/1.1\r\nX: ", "POST /user/login/ HTTP/1.1\r\nHost: a\r\nX: b\r\n",
		} {
			conn := dial(t, address)
			sendSlowly(t, conn, begin)
			conns = append(conns, conn)
		}
	}
	s.requireOthersServed(t)
	for _, conn := range conns {
		require.NotContains(t, readAll(t, conn), "200 OK")
	}
}

func TestConnectionWithASlowBodyIsClosed(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	address, token := s.shortTimeouts(t), s.user(t, "asha")
	want := map[net.Conn]string{}
	for _, row := range []struct{ request, want string }{
		{"POST /user/login/ HTTP/1.1\r\n", "ended early or arrived too slowly"},
		{"POST /v1/holds HTTP/1.1\r\nAuthorization: Bearer " + token + "\r\n", "ended early or arrived too slowly"},
		{"POST /v1/holds HTTP/1.1\r\n", "401 Unauthorized"},                                         // the body is not read
		{"GET /v1/bookings HTTP/1.1\r\nAuthorization: Bearer " + token + "\r\n", "400 Bad Request"}, // it has a body
	} {
		for _, length := range []string{"Content-Length: 60000\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\nfff\r\n{"} {
			conn := dial(t, address)
			sendSlowly(t, conn, row.request+"Host: a\r\nContent-Type: application/json\r\n"+length)
			want[conn] = row.want
		}
	}
	s.requireOthersServed(t)
	for conn, message := range want {
		require.Contains(t, readAll(t, conn), message)
	}
}

func TestEndlessHeaderIsRejectedAndClosed(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	address := s.shortTimeouts(t)
	for begin, more := range map[string]string{
		"GET /": "a", "GET / HTTP/1.1\r\nX: ": "a", "GET / HTTP/1.1\r\nHost: a\r\n": "A: b\r\n",
	} {
		conn := dial(t, address)
		var sending sync.WaitGroup
		sending.Go(func() {
			_, _ = io.WriteString(conn, begin)
			for err := error(nil); err == nil; { // until the server closes the connection
				_, err = io.WriteString(conn, strings.Repeat(more, 1<<8))
			}
		})
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, begin)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, 431, resp.StatusCode, begin)
		readAll(t, conn)
		_ = conn.Close()
		sending.Wait()
	}
	s.requireOthersServed(t)
}

func TestEndlessBodyIsRejectedAndClosed(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	address, token := s.shortTimeouts(t), s.user(t, "asha")
	for _, row := range []struct {
		authorization string
		status        int
	}{{"", 401}, {"Authorization: Bearer " + token + "\r\n", 413}} {
		for _, length := range []string{"Content-Length: 10737418240\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n280000000\r\n"} {
			conn := dial(t, address)
			var sending sync.WaitGroup
			sending.Go(func() {
				_, err := io.WriteString(conn, "POST /v1/holds HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"+row.authorization+length)
				for err == nil {
					_, err = io.WriteString(conn, strings.Repeat("[", 1<<12))
				}
			})
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, row.status, resp.StatusCode)
			readAll(t, conn)
			_ = conn.Close()
			sending.Wait()
		}
	}
	s.requireOthersServed(t)
}

// memory returns the memory in use after a garbage collection, in bytes.
func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// requireMemory checks that f leaves at most limit bytes in use.
func requireMemory(tb testing.TB, limit uint64, f func()) {
	tb.Helper()
	before := memory()
	f()
	after := memory()
	require.Less(tb, after, before+limit, "%d KiB more in use", (int64(after)-int64(before))>>10)
}

// A connection may use 64 KiB on both sides together: buffers of 4 KiB each and stacks.
func TestThousandIdleConnectionsUseLittleMemoryAndAreClosed(t *testing.T) { //nolint:paralleltest // memory is measured
	s := newTestServer(t)
	address, conns := s.shortTimeouts(t), make([]net.Conn, 1000)
	s.requireOthersServed(t)
	requireMemory(t, uint64(len(conns))*64<<10, func() {
		for i := range conns {
			conns[i] = dial(t, address)
			if i%2 == 0 { // the others send nothing
				_, err := io.WriteString(conns[i], "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
				require.NoError(t, err)
			}
		}
		s.requireOthersServed(t)
	})
	for i, conn := range conns {
		if text := readAll(t, conn); i%2 == 0 {
			require.Contains(t, text, "HTTP/1.1 200 OK")
		} else {
			require.Empty(t, text)
		}
	}
	s.requireOthersServed(t)
}

// bombs are small bodies that could need much memory to parse.
func bombs(tb testing.TB) map[string]string {
	tb.Helper()
	const room = 64<<10 - 100
	names := func(name string) string {
		return "{" + strings.TrimSuffix(strings.Repeat(name+":1,", room/(len(name)+3)), ",") + "}"
	}
	list := func(element string) string {
		return `{"seats":[` + strings.TrimSuffix(strings.Repeat(element+",", room/(len(element)+1)), ",") + `]}`
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, err := w.Write(make([]byte, 32<<20))
	require.NoError(tb, err)
	require.NoError(tb, w.Close())
	return map[string]string{
		"arrays":            `{"seats":` + nested(room/2) + `}`,
		"arrays, open":      strings.Repeat("[", room),
		"objects":           strings.Repeat(`{"a":`, room/6) + "1" + strings.Repeat("}", room/6),
		"objects, open":     strings.Repeat(`{"":`, room/4),
		"empty arrays":      list("[]"),
		"empty objects":     list("{}"),
		"objects of one":    list(`{"a":0}`),
		"arrays 60 deep":    list(nested(60)),
		"zeros":             list("0"),
		"empty strings":     list(`""`),
		"a long number":     `{"seat_number":` + strings.Repeat("9", room) + `}`,
		"a small number":    `{"seat_number":0.` + strings.Repeat("0", room) + `1}`,
		"a large exponent":  `{"seat_number":1e` + strings.Repeat("9", room) + `}`,
		"an exponent":       `{"seat_number":1e999999999}`,
		"large numbers":     list("1e999999999"),
		"the same names":    names(`"a"`),
		"the same, escaped": names(`"\u0061"`),
		"many names":        manyNames(5000),
		"a long name":       `{"` + strings.Repeat("n", room) + `":1}`,
		"a long string":     `{"train_id":"` + strings.Repeat("s", room) + `"}`,
		"escapes":           `{"train_id":"` + strings.Repeat(`\u00e9`, room/6) + `"}`,
		"NULs":              `{"train_id":"` + strings.Repeat(`\u0000`, room/6) + `"}`,
		"combining marks":   `{"from":"a` + strings.Repeat("\u0301", room/2-8) + `"}`,
		"zipped":            zipped.String(),
	}
}

// Parsing a bomb allocates at most 200 times its size, because a value of two letters is
// that much larger in memory. All of it is garbage after the response.
func TestBombsAreRejectedAndLeaveNoMemoryInUse(t *testing.T) { //nolint:paralleltest // memory is measured
	s := newTestServer(t)
	token := s.user(t, "asha")
	// Four times each: a server that kept all bodies would keep 18 MiB.
	paths := slices.Repeat([]string{"/train/book-ticket/", "/v1/holds", "/user/register/"}, 4)
	explode := func(body string) {
		for _, path := range paths {
			r := s.post(t, token, path, body)
			requireProblem(t, 400, booking.CodeInvalidRequest, "", r)
			require.Less(t, len(r.text), 8<<10)
		}
	}
	all := bombs(t)
	explode(all["many names"]) // allocates what is allocated only once
	requireMemory(t, 8<<20, func() {
		for name, body := range all {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			explode(body)
			runtime.ReadMemStats(&after)
			each := (after.TotalAlloc - before.TotalAlloc) / uint64(len(paths))
			require.Less(t, each, uint64(200*64<<10), "%s: %d KiB each", name, each>>10)
		}
	})
	s.requireOthersServed(t)
}
