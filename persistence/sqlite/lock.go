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

// Lock reserves the data directory for one server, since actors assume that no other process
// writes. It locks the file lock in dir and creates both if they are missing. The lock ends with
// unlock, which may be called twice, or with the process. Keep a reference to unlock until then:
// the garbage collector would close the file. If another server has the lock, the message of the
// error is for the operator.
func Lock(dir string) (unlock func() error, err error) {
	unlock, err = lockFile(filepath.Join(dir, "lock"))
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("the data directory %s is in use by another server: "+
			"stop that one first, or give this one a data directory of its own", dir)
	}
	if err != nil {
		return nil, describeDir(dir, err)
	}
	return unlock, nil
}

// lockFile acquires the lock of the file at path, or fails with EWOULDBLOCK. It never removes
// the file, which another process may have just locked. A child process has the file, and the
// lock, between fork and exec, so unlock calls LOCK_UN before it closes the file.
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

// awaitLock waits for the lock of the file at path, or returns the error of ctx. A blocking
// flock could not be cancelled.
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
