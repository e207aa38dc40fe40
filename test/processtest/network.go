package processtest

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Host is the address on which processes of this test program listen for each other. It is a random
// one of the loopback network, so that the processes of another program cannot take their ports
// while they are down.
var Host = loopback()

func loopback() string {
	if runtime.GOOS != "linux" { // only one address is configured
		return "127.0.0.1"
	}
	return fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254)) //nolint:gosec // not a secret
}

// freePorts are below the ephemeral ports of the system.
var freePorts atomic.Int32

// FreeAddress returns an address of Host that no process listens on. It returns no address twice.
func FreeAddress(t *testing.T) string {
	t.Helper()
	for range 1000 {
		address := net.JoinHostPort(Host, strconv.Itoa(20_000+int(freePorts.Add(1))))
		listener, err := net.Listen("tcp", address) //nolint:noctx // it does not wait
		if err == nil {
			require.NoError(t, listener.Close())
			return address
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
