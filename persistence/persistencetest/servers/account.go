package servers

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// newDir creates a directory for a server and returns the user that runs it. Postgres refuses to
// run as root, so root gives the directory to another user. The directory is directly below the
// system's temporary directory, since the path of a socket may have about a hundred bytes at most
// and that user must be able to enter every directory above it.
func newDir() (dir string, owner *syscall.Credential, err error) {
	if dir, err = os.MkdirTemp("", "trainbooking-"); err != nil {
		return "", nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", nil, err
	}
	if os.Getuid() != 0 {
		return dir, nil, nil
	}
	if owner, err = account("postgres", "nobody"); err != nil {
		return "", nil, err
	}
	return dir, owner, os.Chown(dir, int(owner.Uid), int(owner.Gid))
}

// account returns the first of the named users that exists.
func account(names ...string) (*syscall.Credential, error) {
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, fmt.Errorf("root cannot run Postgres, and none of the users %q exists to run it", names)
}
