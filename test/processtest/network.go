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

// FreeAddress returns an address that nobody listens on. Its port is below those that
// the system gives to connections, so that it stays free while its process is down.
func FreeAddress(t *testing.T) string {
	t.Helper()
	for range 1000 {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000))) //nolint:gosec,noctx // no secret, and does not wait
		if err == nil {
			require.NoError(t, listener.Close())
			return listener.Addr().String()
		}
	}
	require.Fail(t, "no free port")
	return ""
}

// AskRedis sends a command to the Redis at an address and returns its answer, "" for nil.
// An error that Redis answers is an error.
func AskRedis(address, command string) (string, error) {
	conn, err := net.DialTimeout("tcp", address, Timeout) //nolint:noctx // it has a limit
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
		return "", fmt.Errorf("no answer to %s: %w", command, lines.Err())
	}
	switch answer := lines.Text(); {
	case answer == "$-1":
		return "", nil
	case strings.HasPrefix(answer, "-"):
		return "", fmt.Errorf("%s: %s", command, answer)
	case strings.HasPrefix(answer, "$") && !lines.Scan():
		return "", fmt.Errorf("half an answer to %s: %w", command, lines.Err())
	}
	return lines.Text(), nil
}
