package processtest

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FreeAddress returns an address that no process listens on. Its port is below the ephemeral
// ports of the system, so that it stays free while its process is down.
func FreeAddress(t *testing.T) string {
	t.Helper()
	for range 1000 {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000))) //nolint:gosec,noctx // not a secret; does not wait
		if err == nil {
			require.NoError(t, listener.Close())
			return listener.Addr().String()
		}
	}
	require.Fail(t, "no free port")
	return ""
}

// RedisCommand sends a command to the Redis at an address and returns the reply, "" for nil.
// An error reply is an error.
func RedisCommand(address, command string) (string, error) {
	conn, err := net.DialTimeout("tcp", address, Timeout) //nolint:noctx // has a timeout
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(Timeout)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, command+"\r\n"); err != nil {
		return "", err
	}
	lines := bufio.NewScanner(conn)
	if !lines.Scan() {
		return "", fmt.Errorf("no reply to %s: %w", command, lines.Err())
	}
	switch reply := lines.Text(); {
	case reply == "$-1":
		return "", nil
	case strings.HasPrefix(reply, "-"):
		return "", fmt.Errorf("%s: %s", command, reply)
	case strings.HasPrefix(reply, "$") && !lines.Scan():
		return "", fmt.Errorf("incomplete reply to %s: %w", command, lines.Err())
	}
	return lines.Text(), nil
}
