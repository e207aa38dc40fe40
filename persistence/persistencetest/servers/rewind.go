package servers

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// redisFiles is the directory of the append-only file, below that of Redis.
const redisFiles = "appendonlydir"

// Copy copies the current files of a Redis for Rewind.
func (s *Server) Copy(tb testing.TB) {
	tb.Helper()
	backup := s.process.backup()
	require.NoError(tb, os.RemoveAll(backup))
	require.NoError(tb, os.CopyFS(backup, os.DirFS(filepath.Join(s.process.dir, redisFiles))))
	if owner := s.process.owner; owner != nil {
		require.NoError(tb, filepath.WalkDir(backup, func(path string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Chown(path, int(owner.Uid), int(owner.Gid))) //nolint:gosec // no other user can enter it
		}))
	}
}

// Rewind restores the files of the last Copy to a Redis that was killed, as after a failover to a
// replica that lags.
func (s *Server) Rewind(tb testing.TB) {
	tb.Helper()
	files := filepath.Join(s.process.dir, redisFiles)
	require.NoError(tb, os.RemoveAll(files))
	require.NoError(tb, os.Rename(s.process.backup(), files))
}

func (p *process) backup() string { return filepath.Join(p.dir, "backup") }
