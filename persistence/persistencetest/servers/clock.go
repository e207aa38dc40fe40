package servers

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// StartRedisWithClock is StartRedis with a clock that can be moved: libfaketime tells that
// Redis the time. Linux alone lets it.
func StartRedisWithClock(tb testing.TB) *Server {
	tb.Helper()
	library, err := findFakeClock()
	require.NoError(tb, err)
	return startRedis(tb, func(dir string) []string {
		require.NoError(tb, setClock(dir, 0))
		return []string{
			// That of Debian brings an allocator that asks for the time before the library
			// can tell it, so the one of the C library comes first.
			"LD_PRELOAD=" + library + " libc.so.6",
			"FAKETIME_TIMESTAMP_FILE=" + clockFile(dir), "FAKETIME_NO_CACHE=1",
			// Under both of its names: what Redis measures by it goes on as it is.
			"FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1",
		}
	})
}

// SetClock makes the clock of a server of StartRedisWithClock differ from the true time by
// so many seconds, at once and until the next call, also when it starts again.
func (s *Server) SetClock(tb testing.TB, by time.Duration) {
	tb.Helper()
	require.NoError(tb, setClock(s.process.dir, by))
}

func clockFile(dir string) string { return filepath.Join(dir, "clock") }

// setClock replaces the file: it is read at any moment, and must be whole.
func setClock(dir string, by time.Duration) error {
	next := clockFile(dir) + ".next"
	text := fmt.Sprintf("%+d\n", int64(by/time.Second))
	if err := os.WriteFile(next, []byte(text), 0o644); err != nil { //nolint:gosec // the server may be of another user
		return err
	}
	return os.Rename(next, clockFile(dir))
}
