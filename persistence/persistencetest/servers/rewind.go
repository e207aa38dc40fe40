package servers

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// redisFiles is the directory of the append-only file, below Redis's own.
const redisFiles = "appendonlydir"

// Copy keeps what a Redis has written by now for Rewind.
func (s *Server) Copy(tb testing.TB) {
	tb.Helper()
	kept := s.process.kept()
	require.NoError(tb, os.RemoveAll(kept))
	require.NoError(tb, os.CopyFS(kept, os.DirFS(filepath.Join(s.process.dir, redisFiles))))
	if owner := s.process.owner; owner != nil {
		require.NoError(tb, filepath.WalkDir(kept, func(path string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Chown(path, int(owner.Uid), int(owner.Gid))) //nolint:gosec // nobody else is there
		}))
	}
}

// Rewind makes a Redis that was killed one that has what it had at the last Copy, as after
// a failover to a replica that lags.
func (s *Server) Rewind(tb testing.TB) {
	tb.Helper()
	files := filepath.Join(s.process.dir, redisFiles)
	require.NoError(tb, os.RemoveAll(files))
	require.NoError(tb, os.Rename(s.process.kept(), files))
}

func (p *process) kept() string { return filepath.Join(p.dir, "kept") }
