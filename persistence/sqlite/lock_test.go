package sqlite_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/sqlite"
)

func TestSecondLockIsRefusedWithAdvice(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	unlock, err := sqlite.Lock(dir)
	require.NoError(t, err)
	_, err = sqlite.Lock(dir)
	require.EqualError(t, err, "the data directory "+dir+" is in use by another server: "+
		"stop that one first, or give this one a data directory of its own")
	require.NoError(t, unlock())
	require.NoError(t, unlock(), "a second time")
	again, err := sqlite.Lock(dir)
	require.NoError(t, err)
	require.NoError(t, unlock(), "it does not release the second lock")
	_, err = sqlite.Lock(dir)
	require.Error(t, err)
	require.NoError(t, again())
}

// TestUnlockEndsTheLockWhileChildrenAreStarted starts children, which have their parent's open
// files between fork and exec.
func TestUnlockEndsTheLockWhileChildrenAreStarted(t *testing.T) {
	t.Parallel()
	dir, stop, stopped := t.TempDir(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = exec.CommandContext(t.Context(), "/nonexistent").Run()
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	for range 2000 {
		unlock, err := sqlite.Lock(dir)
		require.NoError(t, err)
		require.NoError(t, unlock())
	}
}

func TestLockDoesNotPreventOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	unlock, err := sqlite.Lock(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unlock()) })
	require.NoError(t, openIn(t, dir).Ping(t.Context()))
}
