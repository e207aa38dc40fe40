package cluster_test

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// link is a way to a server that can be cut: then nothing passes and nothing is refused,
// as when a cable is pulled. What was sent meanwhile arrives when it is joined again.
type link struct {
	address, target string

	mu     sync.Mutex
	cut    bool
	joined *sync.Cond
	conns  map[net.Conn]struct{}
	closed bool
}

func newLink(t *testing.T, target string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := &link{address: listener.Addr().String(), target: target, conns: map[net.Conn]struct{}{}}
	l.joined = sync.NewCond(&l.mu)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { l.serve(conn) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		l.close()
		running.Wait()
	})
	return l
}

// set cuts the link or joins it again.
func (l *link) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	l.joined.Broadcast()
}

func (l *link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed, l.cut = true, false
	l.joined.Broadcast()
	for conn := range l.conns {
		_ = conn.Close()
	}
}

// enter waits while the link is cut. It says whether the link is there still.
func (l *link) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.cut {
		l.joined.Wait()
	}
	return !l.closed
}

// hold keeps a connection for close.
func (l *link) hold(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[conn] = struct{}{}
	if l.closed {
		_ = conn.Close()
	}
}

func (l *link) drop(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
	_ = conn.Close()
}

func (l *link) serve(near net.Conn) {
	l.hold(near)
	defer l.drop(near)
	if !l.enter() {
		return
	}
	far, err := net.Dial("tcp", l.target)
	if err != nil {
		return
	}
	l.hold(far)
	defer l.drop(far)
	var back sync.WaitGroup
	back.Go(func() { l.pass(near, far) })
	l.pass(far, near)
	back.Wait()
}

func (l *link) pass(to io.WriteCloser, from io.Reader) {
	defer to.Close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if !l.enter() {
			return
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
