//go:build chaos

package chaos_test

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

// exhaustionName is the application name of the sessions.
const exhaustionName = "exhaustion"

// exhaustion is idle sessions that use all connections of Postgres.
type exhaustion struct {
	t        *testing.T
	socket   string
	sessions []net.Conn
	stop     chan struct{}
	running  sync.WaitGroup
}

// exhaustConnections returns when it has terminated the sessions of others. Then it opens sessions
// in their place, and terminates new ones, until end.
func exhaustConnections(t *testing.T, socket string) *exhaustion {
	t.Helper()
	c := &exhaustion{t: t, socket: socket, stop: make(chan struct{})}
	require.True(t, c.connect())
	c.exhaust() // can take seconds, and the fault lasts from here on
	c.running.Go(func() {
		for {
			select {
			case <-time.After(pollTime):
				c.exhaust()
			case <-c.stop:
				return
			}
		}
	})
	return c
}

// exhaust opens sessions until no connection is free, and terminates those of others.
func (c *exhaustion) exhaust() {
	for c.connect() {
	}
	c.terminateOthers()
}

func (c *exhaustion) end() {
	close(c.stop)
	c.running.Wait()
	for _, session := range c.sessions {
		_ = session.Close()
	}
}

// connect opens a session and reports whether a connection was free.
func (c *exhaustion) connect() bool {
	conn, err := net.Dial("unix", c.socket)
	if !assert.NoError(c.t, err) {
		return false
	}
	settings := strings.Join([]string{"user", "postgres", "database", "postgres", "application_name", exhaustionName, "", ""}, "\x00")
	const version = 3 << 16
	start := binary.BigEndian.AppendUint32(nil, uint32(8+len(settings)))
	start = binary.BigEndian.AppendUint32(start, version)
	if _, err = conn.Write(append(start, settings...)); err == nil {
		err = awaitReady(conn)
	}
	if err != nil {
		_ = conn.Close()
		return false
	}
	c.sessions = append(c.sessions, conn)
	return true
}

// terminateOthers terminates all other sessions.
func (c *exhaustion) terminateOthers() {
	const statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
		"WHERE backend_type = 'client backend' AND application_name <> '" + exhaustionName + "'\x00"
	conn := c.sessions[0]
	query := binary.BigEndian.AppendUint32([]byte{'Q'}, uint32(4+len(statement)))
	_, err := conn.Write(append(query, statement...))
	if err == nil {
		err = awaitReady(conn)
	}
	assert.NoError(c.t, err)
}

// awaitReady reads messages until ReadyForQuery. An ErrorResponse is an error.
func awaitReady(conn net.Conn) error {
	if err := conn.SetReadDeadline(time.Now().Add(processtest.Timeout)); err != nil {
		return err
	}
	for {
		var head [5]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return err
		}
		if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(head[1:]))-4); err != nil {
			return err
		}
		switch head[0] {
		case 'Z':
			return nil
		case 'E':
			return net.ErrClosed
		}
	}
}
