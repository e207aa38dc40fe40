// Package reload reads files again when they change, so that secrets and certificates are replaced
// without a restart.
//
//	Watch reads ─▶ use ─▶ Run: every 0.5 s, contents that are new and stable ─▶ use, log
//
// It compares contents, because that works for every way to replace a file: rewriting it, moving
// another one over it, and the symbolic links of a Kubernetes volume, which change a directory of
// files at once. Files that belong together, such as a certificate and its key, are used together,
// once all of them have stopped changing.
//
// # Failure
//
// A file that is missing or not valid is logged once, at error level, and the previous contents stay
// in use. No message contains the contents of a file.
package reload

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"os"
	"sync"
	"time"
)

// interval is how often the files are read. They are small and in memory, so it costs little.
const interval = 500 * time.Millisecond

// Use uses the contents of files, in the order of their paths, or returns an error and changes
// nothing. It returns what to log about them.
type Use func(contents [][]byte) ([]slog.Attr, error)

// Files are watched files. The methods are safe for concurrent use.
type Files struct {
	log     *slog.Logger
	mu      sync.Mutex
	watched []*files
}

// files are used together.
type files struct {
	setting string
	paths   []string
	use     Use
	handled [sha256.Size]byte // of the contents that were given to use, or could not be read
	latest  [sha256.Size]byte // of the contents at the last check
}

// New returns Files without a file.
func New(log *slog.Logger) *Files { return &Files{log: log} }

// Watch reads files and gives their contents to use, and again whenever they have changed. setting
// is the flag with the path, for the log. It returns the first error of reading or of use.
func (f *Files) Watch(setting string, use Use, paths ...string) error {
	w := &files{setting: setting, paths: paths, use: use}
	contents, sum, err := w.read()
	if err == nil {
		_, err = use(contents)
	}
	if err != nil {
		return err
	}
	w.handled, w.latest = sum, sum
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watched = append(f.watched, w)
	return nil
}

// Run checks the files until ctx ends.
func (f *Files) Run(ctx context.Context) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			f.Check()
		case <-ctx.Done():
			return
		}
	}
}

// Check reads the files. It uses those whose contents differ from the ones in use and are the same as
// at the last check; otherwise somebody may still be writing them.
func (f *Files) Check() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.watched {
		contents, sum, err := w.read()
		atRest := sum == w.latest
		w.latest = sum
		if sum == w.handled || !atRest {
			continue
		}
		w.handled = sum
		f.apply(w, contents, err)
	}
}

func (f *Files) apply(w *files, contents [][]byte, err error) {
	var about []slog.Attr
	if err == nil {
		about, err = w.use(contents)
	}
	log := f.log.With("setting", w.setting, "files", w.paths)
	if err != nil {
		log.Error("a file changed and cannot be used; the previous contents stay in use", "error", err)
		return
	}
	log.LogAttrs(context.Background(), slog.LevelInfo, "a file changed and is in use", about...)
}

// read reads the files. The sum changes with the contents, and with the error if a file cannot be
// read.
func (w *files) read() (contents [][]byte, sum [sha256.Size]byte, err error) {
	all := sha256.New()
	for _, path := range w.paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, sha256.Sum256([]byte("error\x00" + err.Error())), err
		}
		one := sha256.Sum256(text)
		all.Write(one[:])
		contents = append(contents, text)
	}
	return contents, [sha256.Size]byte(all.Sum(nil)), nil
}
