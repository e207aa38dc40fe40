package servers

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// StartRedisWithClock is StartRedis with a clock that can be set, by libfaketime. It works only
// on Linux.
func StartRedisWithClock(tb testing.TB) *Server {
	tb.Helper()
	library, err := findFakeClock()
	require.NoError(tb, err)
	return startRedis(tb, func(dir string) []string {
		require.NoError(tb, setClock(dir, 0))
		return []string{
			// Debian's Redis has an allocator that reads the time before libfaketime is
			// initialized, so the C library's allocator is loaded first.
			"LD_PRELOAD=" + library + " libc.so.6",
			"FAKETIME_TIMESTAMP_FILE=" + clockFile(dir), "FAKETIME_NO_CACHE=1",
			// The monotonic clock must stay correct. The setting has two names.
			"FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1",
		}
	})
}

// SetClock sets the offset of the clock of a server of StartRedisWithClock, in whole seconds. It
// takes effect at once and persists when the server restarts.
func (s *Server) SetClock(tb testing.TB, by time.Duration) {
	tb.Helper()
	require.NoError(tb, setClock(s.process.dir, by))
}

func clockFile(dir string) string { return filepath.Join(dir, "clock") }

// setClock replaces the file atomically, since it may be read at any time.
func setClock(dir string, by time.Duration) error {
	next := clockFile(dir) + ".next"
	text := fmt.Sprintf("%+d\n", int64(by/time.Second))
	if err := os.WriteFile(next, []byte(text), 0o644); err != nil { //nolint:gosec // another user may run the server
		return err
	}
	return os.Rename(next, clockFile(dir))
}
