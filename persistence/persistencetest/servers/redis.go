package servers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Redis starts a Redis for the test and returns its host:port.
func Redis(tb testing.TB) (addr string) {
	tb.Helper()
	return StartRedis(tb).Address
}

// StartRedis starts a Redis with the settings that the service needs: it syncs its append-only
// file each second and evicts nothing.
func StartRedis(tb testing.TB) *Server {
	tb.Helper()
	return startRedis(tb, nil)
}

// startRedis starts a Redis with the environment that environ returns for its directory.
func startRedis(tb testing.TB, environ func(dir string) []string) *Server {
	tb.Helper()
	program, err := findRedis()
	require.NoError(tb, err)
	dir, owner, err := newDir()
	require.NoError(tb, err)
	addr, port, err := freePort(tb.Context())
	require.NoError(tb, err)
	var command []string
	if environ != nil {
		command = append([]string{"env"}, environ(dir)...)
	}
	return started(tb, &process{
		dir: dir, owner: owner,
		command: append(command,
			program, "--dir", dir, "--bind", "127.0.0.1", "--port", strconv.Itoa(port),
			"--appendonly", "yes", "--maxmemory-policy", "noeviction", "--save", "",
		),
		stop:  "TERM",
		ready: func(ctx context.Context) error { return pingRedis(ctx, addr, dir) },
	}, addr)
}

// pingRedis returns nil if Redis has loaded its data and is the one of this directory: another
// process may have taken the port.
func pingRedis(ctx context.Context, addr, dir string) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(c, "PING\r\nCONFIG GET dir\r\n"); err != nil {
		return err
	}
	lines := bufio.NewScanner(c) // +PONG, then a list of two, each after its length
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "-") {
		if lines.Text() == dir {
			return nil
		}
	}
	return errors.Join(fmt.Errorf("redis at %s: %q", addr, lines.Text()), lines.Err())
}

// freePort returns a port that is not in use. If another process takes it before the server does,
// the server fails to start.
func freePort(ctx context.Context) (addr string, port int, err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", 0, err
	}
	port = l.Addr().(*net.TCPAddr).Port
	return l.Addr().String(), port, l.Close()
}
