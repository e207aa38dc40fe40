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

// deadline is how long anything that must happen is waited for.
const deadline = 30 * time.Second

// hasty is a listener of the real server, whose patience is a tenth of what it has
// with its clients, so that it ends while a test looks.
func (s *site) hasty(tb testing.TB) (address string) {
	tb.Helper()
	server := s.server.HTTPServer()
	for _, patience := range []*time.Duration{&server.ReadHeaderTimeout, &server.ReadTimeout, &server.WriteTimeout} {
		*patience /= 10
	}
	server.IdleTimeout /= 60
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) }) // ends when it is closed
	tb.Cleanup(func() {
		_ = server.Close()
		serving.Wait()
	})
	return listener.Addr().String()
}

// dial opens a connection on which nothing is waited for longer than deadline.
func dial(tb testing.TB, address string) net.Conn {
	tb.Helper()
	conn, err := new(net.Dialer).DialContext(tb.Context(), "tcp", address)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = conn.Close() })
	require.NoError(tb, conn.SetDeadline(time.Now().Add(deadline)))
	return conn
}

// dribble writes text and then a byte now and then, until the other side has had enough.
func dribble(tb testing.TB, conn net.Conn, text string) {
	tb.Helper()
	_, err := io.WriteString(conn, text)
	require.NoError(tb, err)
	ended := make(chan struct{})
	var dribbling sync.WaitGroup
	dribbling.Go(func() {
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
		dribbling.Wait()
	})
}

// rest reads what comes until the other side closes. That it was not the deadline that
// ended it is all that is asked: a reset is an end too.
func rest(tb testing.TB, conn net.Conn) string {
	tb.Helper()
	text, err := io.ReadAll(conn)
	timeout, ok := err.(net.Error) //nolint:errorlint // net returns it bare
	require.False(tb, ok && timeout.Timeout(), "the connection is still open, after %q", text)
	return string(text)
}

// requireOthersServed checks that clients who mean well are answered.
func (s *site) requireOthersServed(tb testing.TB) {
	tb.Helper()
	for _, path := range []string{"/healthz", "/v1/trains"} {
		require.Equal(tb, 200, s.get(tb, "", path).status)
	}
}

func TestHeaderThatDribblesIsCutOff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	address := s.hasty(t)
	var conns []net.Conn
	for range 10 {
		for _, begin := range []string{
			"", "G", "GET /healthz", "GET /healthz HTTP/1.1\r\nX: ", "POST /user/login/ HTTP/1.1\r\nHost: a\r\nX: b\r\n",
		} {
			conn := dial(t, address)
			dribble(t, conn, begin)
			conns = append(conns, conn)
		}
	}
	s.requireOthersServed(t)
	for _, conn := range conns {
		require.NotContains(t, rest(t, conn), "200 OK")
	}
}

func TestBodyThatDribblesIsCutOff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	address, token := s.hasty(t), s.user(t, "asha")
	says := map[net.Conn]string{}
	for _, row := range []struct{ request, says string }{
		{"POST /user/login/ HTTP/1.1\r\n", "ended early or came too slowly"},
		{"POST /v1/holds HTTP/1.1\r\nAuthorization: Bearer " + token + "\r\n", "ended early or came too slowly"},
		{"POST /v1/holds HTTP/1.1\r\n", "401 Unauthorized"},                                         // its body is nobody's business
		{"GET /v1/bookings HTTP/1.1\r\nAuthorization: Bearer " + token + "\r\n", "HTTP/1.1 200 OK"}, // nor is one that is not asked for
	} {
		for _, length := range []string{"Content-Length: 60000\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\nfff\r\n{"} {
			conn := dial(t, address)
			dribble(t, conn, row.request+"Host: a\r\nContent-Type: application/json\r\n"+length)
			says[conn] = row.says
		}
	}
	s.requireOthersServed(t)
	for conn, sentence := range says {
		require.Contains(t, rest(t, conn), sentence)
	}
}

func TestHeaderWithoutEndIsRefusedAndCutOff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	address := s.hasty(t)
	for begin, more := range map[string]string{
		"GET /": "a", "GET / HTTP/1.1\r\nX: ": "a", "GET / HTTP/1.1\r\nHost: a\r\n": "A: b\r\n",
	} {
		conn := dial(t, address)
		var sending sync.WaitGroup
		sending.Go(func() {
			_, _ = io.WriteString(conn, begin)
			for err := error(nil); err == nil; { // until it is cut off
				_, err = io.WriteString(conn, strings.Repeat(more, 1<<8))
			}
		})
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, begin)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, 431, answer.StatusCode, begin)
		rest(t, conn)
		_ = conn.Close()
		sending.Wait()
	}
	s.requireOthersServed(t)
}

func TestBodyWithoutEndIsRefusedAndCutOff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	address, token := s.hasty(t), s.user(t, "asha")
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
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			require.Equal(t, row.status, answer.StatusCode)
			rest(t, conn)
			_ = conn.Close()
			sending.Wait()
		}
	}
	s.requireOthersServed(t)
}

// memory is what the program has in use once all garbage is gone.
func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// requireFlat checks that what f leaves in use is at most so many bytes.
func requireFlat(tb testing.TB, most uint64, f func()) {
	tb.Helper()
	before := memory()
	f()
	after := memory()
	require.Less(tb, after, before+most, "%d KiB more in use", (int64(after)-int64(before))>>10)
}

// A connection may cost both sides together 64 KiB: buffers of 4 KiB each and stacks.
func TestThousandIdleConnectionsCostLittleAndAreClosed(t *testing.T) { //nolint:paralleltest // memory is measured
	s := newSite(t)
	address, conns := s.hasty(t), make([]net.Conn, 1000)
	s.requireOthersServed(t)
	requireFlat(t, uint64(len(conns))*64<<10, func() {
		for i := range conns {
			conns[i] = dial(t, address)
			if i%2 == 0 { // the others say nothing at all
				_, err := io.WriteString(conns[i], "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
				require.NoError(t, err)
			}
		}
		s.requireOthersServed(t)
	})
	for i, conn := range conns {
		if text := rest(t, conn); i%2 == 0 {
			require.Contains(t, text, "HTTP/1.1 200 OK")
		} else {
			require.Empty(t, text)
		}
	}
	s.requireOthersServed(t)
}

// bombs are bodies that are small to send and could be large to read.
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

// Reading a bomb allocates at most 200 times its size, a value being that much larger than
// the two letters that it takes; all of it is garbage after the answer.
func TestBombsAreRefusedAndLeaveNothing(t *testing.T) { //nolint:paralleltest // memory is measured
	s := newSite(t)
	token := s.user(t, "asha")
	// Four times each, so that who kept them all would keep 18 MiB.
	paths := slices.Repeat([]string{"/train/book-ticket/", "/v1/holds", "/user/register/"}, 4)
	explode := func(body string) {
		for _, path := range paths {
			r := s.post(t, token, path, body)
			requireProblem(t, 400, booking.CodeInvalidRequest, "", r)
			require.Less(t, len(r.text), 8<<10)
		}
	}
	all := bombs(t)
	explode(all["many names"]) // what is made once is made
	requireFlat(t, 8<<20, func() {
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
