package bench_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// watchers watch the first train of a fixture. One of them counts the held seats; the others discard what they
// read, so that they need little processor time.
type watchers struct {
	n     int
	held  atomic.Int64 // the seats that the first watcher has seen held
	bytes atomic.Int64
}

// watch opens n streams, and waits until each has its first event.
func watch(t *testing.T, s *server, f *fixture, n int) *watchers {
	t.Helper()
	w := &watchers{n: n}
	opened := make(chan error, n)
	for i := range n {
		address := strings.TrimPrefix(s.urls[i%len(s.urls)], "http://")
		connection, err := net.Dial("tcp", address)
		require.NoError(t, err)
		t.Cleanup(func() { connection.Close() })
		_, err = fmt.Fprintf(connection, "GET /v1/trains/%s/events HTTP/1.1\r\nHost: %s\r\n\r\n", f.ids[0], address)
		require.NoError(t, err)
		go func() {
			stream := bufio.NewReaderSize(connection, 64<<10)
			opened <- awaitEvent(stream)
			if i > 0 {
				for buffer := make([]byte, 64<<10); err == nil; {
					var read int
					read, err = stream.Read(buffer)
					w.bytes.Add(int64(read))
				}
				return
			}
			for err == nil {
				err = w.count(stream)
			}
		}()
	}
	for range n {
		require.NoError(t, <-opened)
	}
	return w
}

// awaitEvent reads the header and the first event.
func awaitEvent(stream *bufio.Reader) error {
	line, err := stream.ReadString('\n')
	for err == nil && !strings.HasPrefix(line, "data: ") {
		if strings.HasPrefix(line, "HTTP/1.1 ") && !strings.HasPrefix(line, "HTTP/1.1 200 ") {
			return fmt.Errorf("a watcher got %s", line)
		}
		line, err = stream.ReadString('\n')
	}
	return err
}

// count adds the seats of the next event to those that are held.
func (w *watchers) count(stream io.Reader) error {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct{ Seats []booking.Seat }
		data, found := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !found {
			continue
		}
		if err := json.Unmarshal(data, &event); err != nil {
			return err
		}
		for _, seat := range event.Seats {
			if seat.State == booking.SeatHeld {
				w.held.Add(1)
			}
		}
	}
	return io.ErrUnexpectedEOF
}

// check waits until the first watcher has seen as many held seats as there were locks.
func (w *watchers) check(t *testing.T, locks int) {
	t.Helper()
	if w.n == 0 {
		return
	}
	require.Eventually(t, func() bool { return w.held.Load() >= int64(locks) }, 5*time.Second, 10*time.Millisecond,
		"of %d seats the watcher has seen %d", locks, w.held.Load())
	t.Logf("%d watchers received %d kB", w.n, w.bytes.Load()>>10)
}
