package servers

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// newDir makes a directory for a server and says who runs it there. Postgres refuses to
// run as root, so that root gives the directory to another user. It is made right under
// the system's temporary directory, since the path of a socket in it may have about a
// hundred bytes at most and every directory above it must let that user pass.
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

// account returns the first of the users that this machine has.
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
	return nil, fmt.Errorf("root cannot run Postgres, and there is none of the users %q to do it", names)
}
