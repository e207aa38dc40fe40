package servers

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// postgresDirs are the directories where distributions install Postgres outside of the PATH.
var postgresDirs = []string{
	"/usr/lib/postgresql/*/bin", // Debian, Ubuntu
	"/usr/pgsql-*/bin",          // Fedora, RHEL
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
}

// findPostgres returns the directory of the programs of the newest Postgres.
func findPostgres() (string, error) {
	var found []string
	for _, pattern := range postgresDirs {
		matches, err := filepath.Glob(filepath.Join(pattern, "postgres"))
		if err != nil {
			return "", err
		}
		found = append(found, matches...)
	}
	if len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
	}
	path, err := exec.LookPath("postgres")
	if err != nil {
		return "", missing("Postgres", "postgresql", "postgresql@17")
	}
	// The directory of a link may not have initdb and psql.
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	return filepath.Dir(path), nil
}

// version returns the major version in the name of a directory, or 0.
func version(path string) int {
	for part := range strings.SplitSeq(path, "/") {
		if n, err := strconv.Atoi(part[strings.LastIndexAny(part, "-@")+1:]); err == nil {
			return n
		}
	}
	return 0
}

// findRedis returns the path of redis-server.
func findRedis() (string, error) {
	for _, name := range []string{"redis-server", "/opt/homebrew/bin/redis-server", "/usr/local/bin/redis-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", missing("Redis", "redis-server", "redis")
}

// fakeClocks are the paths where distributions install libfaketime for programs with threads.
var fakeClocks = []string{
	"/usr/lib/*/faketime/libfaketimeMT.so.1", // Debian, Ubuntu
	"/usr/lib64/faketime/libfaketimeMT.so.1", // Fedora, RHEL
	"/usr/lib/faketime/libfaketimeMT.so.1",   // Alpine, Arch
	"/usr/local/lib/faketime/libfaketimeMT.so.1",
}

// findFakeClock returns the path of libfaketime.
func findFakeClock() (string, error) {
	for _, pattern := range fakeClocks {
		if found, err := filepath.Glob(pattern); err != nil || len(found) > 0 {
			return strings.Join(found[:min(len(found), 1)], ""), err
		}
	}
	return "", missing("libfaketime", "faketime", "libfaketime")
}

// missing returns an error with the command that installs a program.
func missing(name, apt, brew string) error {
	command := "sudo apt-get install -y " + apt
	if runtime.GOOS == "darwin" {
		command = "brew install " + brew
	}
	return fmt.Errorf("the tests need %s, which is not installed: %s", name, command)
}
