package servers

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
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

// StartRedis starts a Redis with the settings that docs/operations.md asks for: it syncs its
// append-only file before it replies, and evicts nothing.
func StartRedis(tb testing.TB) *Server {
	tb.Helper()
	return startRedis(tb, nil)
}

// startRedis starts a Redis with additional arguments, and the environment that environ returns for
// its directory, if it is not nil.
func startRedis(tb testing.TB, environ func(dir string) []string, arguments ...string) *Server {
	tb.Helper()
	p, addr, port := newRedis(tb)
	if environ != nil {
		p.command = append(append([]string{"env"}, environ(p.dir)...), p.command...)
	}
	p.command = append(p.command,
		"--dir", p.dir, "--bind", "127.0.0.1", "--port", strconv.Itoa(port),
		"--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction", "--save", "",
		"--repl-diskless-sync-delay", "0") // a replica need not wait for others
	p.command = append(p.command, arguments...)
	return started(tb, p, addr)
}

// newRedis returns a process that runs redis-server without arguments, and an unused port.
func newRedis(tb testing.TB) (p *process, addr string, port int) {
	tb.Helper()
	program, err := findRedis()
	require.NoError(tb, err)
	dir, owner, err := newDir()
	require.NoError(tb, err)
	addr, port, err = freePort(tb.Context())
	require.NoError(tb, err)
	return &process{
		dir: dir, owner: owner, command: []string{program}, stop: "TERM",
		ready: func(ctx context.Context) error { return pingRedis(ctx, addr, dir) },
	}, addr, port
}

// pingRedis returns nil if Redis has loaded its data and is the one of this directory: another
// process may have taken the port.
func pingRedis(ctx context.Context, addr, dir string) error {
	if _, err := send(ctx, addr, "PING"); err != nil { // an error while it loads
		return err
	}
	reply, err := send(ctx, addr, "CONFIG GET dir")
	if err == nil && !strings.Contains(reply, "\n"+dir+"\n") {
		err = fmt.Errorf("redis at %s has another directory: %q", addr, reply)
	}
	return err
}

// send sends a command and returns the reply in the form of the protocol, with line ends of \n. An
// error reply is an error.
func send(ctx context.Context, addr, command string) (string, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(c, command+"\r\n"); err != nil {
		return "", err
	}
	reply, err := readReply(bufio.NewReader(c))
	if err == nil && strings.HasPrefix(reply, "-") {
		err = fmt.Errorf("redis at %s: %s: %q", addr, command, reply)
	}
	return reply, err
}

// readReply reads one reply: a line, which may begin with the length of a text or of a list.
func readReply(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	reply := strings.TrimSuffix(line, "\r\n") + "\n"
	length, err := strconv.Atoi(strings.TrimSpace(line[1:]))
	switch {
	case err != nil || length < 0:
		return reply, nil
	case line[0] == '$':
		text := make([]byte, length+len("\r\n"))
		_, err = io.ReadFull(r, text)
		return reply + strings.ReplaceAll(string(text), "\r\n", "\n"), err
	case line[0] == '*':
		for range length {
			item, err := readReply(r)
			if err != nil {
				return "", err
			}
			reply += item
		}
	}
	return reply, nil
}

// The ports of freePort. The system chooses higher ones for connections, which would take a port before the
// server listens on it, and does not listen there while the server is down.
const (
	firstPort = 15_000
	lastPort  = 32_000
)

// freePort returns a port that is not in use. If another process takes it before the server does,
// the start fails.
func freePort(ctx context.Context) (addr string, port int, err error) {
	for range 100 {
		port = firstPort + rand.N(lastPort-firstPort) //nolint:gosec // not a secret
		addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		var l net.Listener
		if l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", addr); err == nil {
			return addr, port, l.Close()
		}
	}
	return "", 0, err
}
