package reload_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/cmd/trainbooking/reload"
)

// watched are the files of a test, in a directory.
type watched struct {
	*reload.Files

	t    *testing.T
	dir  string
	log  bytes.Buffer
	mu   sync.Mutex
	used []string // contents, joined
}

func watch(t *testing.T, names ...string) *watched {
	t.Helper()
	w := &watched{t: t, dir: t.TempDir()}
	w.Files = reload.New(slog.New(slog.NewTextHandler(&w.log, nil)))
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = filepath.Join(w.dir, name)
		if !strings.Contains(name, "/") {
			w.write(name, "first")
		}
	}
	if len(names) > 0 {
		require.NoError(t, w.Watch("--secret-file", w.use, paths...))
	}
	return w
}

// use refuses what contains "bad".
func (w *watched) use(contents [][]byte) ([]slog.Attr, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := string(bytes.Join(contents, []byte("+")))
	if strings.Contains(text, "bad") {
		return nil, errors.New("it is not valid")
	}
	w.used = append(w.used, text)
	return []slog.Attr{slog.Int("bytes", len(text))}, nil
}

func (w *watched) uses() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.used...)
}

func (w *watched) write(name, text string) {
	w.t.Helper()
	require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600))
}

// settle checks as often as a change needs.
func (w *watched) settle() {
	w.Check()
	w.Check()
}

// errors returns how many errors are in the log.
func (w *watched) errors() int { return strings.Count(w.log.String(), "level=ERROR") }

func TestFileIsUsedAgainWhenItHasChanged(t *testing.T) {
	t.Parallel()
	w := watch(t, "secret")
	w.settle()
	require.Equal(t, []string{"first"}, w.uses(), "not without a change")

	w.write("secret", "rewritten")
	w.settle()
	require.Equal(t, "rewritten", w.uses()[1])

	w.write("next", "moved")
	require.NoError(t, os.Rename(filepath.Join(w.dir, "next"), filepath.Join(w.dir, "secret")))
	w.settle()
	require.Equal(t, "moved", w.uses()[2])

	at := time.Unix(1, 0)
	w.write("secret", "equal")
	require.NoError(t, os.Chtimes(filepath.Join(w.dir, "secret"), at, at), "an old modification time")
	w.settle()
	require.Equal(t, []string{"first", "rewritten", "moved", "equal"}, w.uses())
	require.Contains(t, w.log.String(), "setting=--secret-file")
	require.Contains(t, w.log.String(), "bytes=5")
	require.Zero(t, w.errors())
}

// Kubernetes replaces the link ..data, through which all files of a volume are read.
func TestFilesOfAKubernetesVolumeChangeTogether(t *testing.T) {
	t.Parallel()
	w := watch(t)
	volume := func(version string) {
		require.NoError(t, os.Mkdir(filepath.Join(w.dir, version), 0o700))
		for _, name := range []string{"tls.crt", "tls.key"} {
			w.write(version+"/"+name, version)
		}
		require.NoError(t, os.Symlink(version, filepath.Join(w.dir, "..data_tmp")))
		require.NoError(t, os.Rename(filepath.Join(w.dir, "..data_tmp"), filepath.Join(w.dir, "..data")))
	}
	volume("..1")
	paths := []string{filepath.Join(w.dir, "tls.crt"), filepath.Join(w.dir, "tls.key")}
	for _, path := range paths {
		require.NoError(t, os.Symlink("..data/"+filepath.Base(path), path))
	}
	require.NoError(t, w.Watch("--tls-cert", w.use, paths...))
	volume("..2")
	require.NoError(t, os.RemoveAll(filepath.Join(w.dir, "..1")))
	w.settle()
	require.Equal(t, []string{"..1+..1", "..2+..2"}, w.uses())
}

func TestFilesThatBelongTogetherAreUsedOnceTheyAreAtRest(t *testing.T) {
	t.Parallel()
	w := watch(t, "cert", "key")
	w.write("cert", "second")
	w.Check()
	w.write("key", "second")
	w.Check()
	require.Equal(t, []string{"first+first"}, w.uses(), "still changing")
	w.Check()
	require.Equal(t, []string{"first+first", "second+second"}, w.uses(), "never second+first")
}

func TestBrokenFileLeavesTheLastOneInUse(t *testing.T) {
	t.Parallel()
	w := watch(t, "secret")
	w.write("secret", "bad hunter2")
	for range 5 {
		w.settle()
	}
	require.Equal(t, 1, w.errors(), "once for a change")
	require.NotContains(t, w.log.String(), "hunter2")

	w.write("secret", "bad again")
	w.settle()
	require.Equal(t, 2, w.errors())

	require.NoError(t, os.Remove(filepath.Join(w.dir, "secret")))
	for range 5 {
		w.settle()
	}
	require.Equal(t, 3, w.errors(), "a missing file too")
	require.Equal(t, []string{"first"}, w.uses())

	w.write("secret", "repaired")
	w.settle()
	require.Equal(t, []string{"first", "repaired"}, w.uses())
}

func TestFileThatCannotBeUsedAtFirstIsAnError(t *testing.T) {
	t.Parallel()
	w := watch(t)
	path := filepath.Join(w.dir, "secret")
	require.ErrorIs(t, w.Watch("--secret-file", w.use, path), os.ErrNotExist)
	w.write("secret", "bad")
	require.EqualError(t, w.Watch("--secret-file", w.use, path), "it is not valid")
	w.write("secret", "good")
	w.settle()
	require.Empty(t, w.uses(), "it is not watched")
}

func TestRunChecksUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	w := watch(t, "secret")
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(t.Context())
	}()
	w.write("secret", "second")
	require.Eventually(t, func() bool { return len(w.uses()) == 2 }, 30*time.Second, 10*time.Millisecond)
	t.Cleanup(func() { <-done })
}
