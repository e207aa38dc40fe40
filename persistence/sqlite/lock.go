package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Lock keeps the data directory for one server, which actors and holds in memory need:
// it takes the file lock in dir and creates both if they are missing. The lock ends
// with unlock, which may be called twice and must not be lost before (the garbage
// collector would close the file), or with the process, however it ends. The
// error is a sentence for the person who started the second server.
func Lock(dir string) (unlock func() error, err error) {
	unlock, err = lockFile(filepath.Join(dir, "lock"))
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("the data directory %s is in use by another server: "+
			"stop that one first, or give this one a data directory of its own", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("sqlite: lock %s: %w", dir, err)
	}
	return unlock, nil
}

// lockFile takes the lock of the file at path, or fails with EWOULDBLOCK. The file
// stays when the lock ends: whoever removed it could remove the one that another
// process has just locked. Package os opens files close-on-exec, so that no child
// process keeps the lock; a child that is between fork and exec has it too, which is
// why to close the file is not enough to end it at once.
func lockFile(path string) (unlock func() error, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return sync.OnceValue(func() error {
		return errors.Join(syscall.Flock(int(file.Fd()), syscall.LOCK_UN), file.Close())
	}), nil
}

// awaitLock takes the lock of the file at path when it becomes free, or returns the
// error of ctx. (A blocking flock could not be called off.)
func awaitLock(ctx context.Context, path string) (unlock func() error, err error) {
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	for {
		unlock, err = lockFile(path)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return unlock, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
