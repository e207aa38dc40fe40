package processtest

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Link is a way to a server that can be cut, in one of two ways, or slow:
//
//	Cut      nothing passes and nothing is refused, as when a cable is pulled; what was
//	         sent meanwhile arrives when the link is joined again
//	Refuse   connections are reset, those that are there and those that are tried
//	Slow     what is sent to the server arrives later, one thing after another
type Link struct {
	Address string // to connect to, a host:port

	network, target string

	mu     sync.Mutex
	state  linkState
	delay  time.Duration // while it is slow
	joined *sync.Cond
	conns  map[net.Conn]struct{}
	closed bool
}

type linkState int

const (
	linkJoined linkState = iota
	linkCut
	linkRefusing
	linkSlow
)

// NewLink makes a link to what listens, or will, on a network ("tcp", "unix"). It ends
// with the test.
func NewLink(t *testing.T, network, target string) *Link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait
	require.NoError(t, err)
	l := &Link{Address: listener.Addr().String(), network: network, target: target, conns: map[net.Conn]struct{}{}}
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

// Cut lets nothing pass until Join.
func (l *Link) Cut() { l.set(linkCut) }

// Refuse resets connections until Join.
func (l *Link) Refuse() {
	l.set(linkRefusing)
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		reset(conn)
	}
}

// Slow delays what is sent to the server until Join.
func (l *Link) Slow(delay time.Duration) {
	l.mu.Lock()
	l.delay = delay
	l.mu.Unlock()
	l.set(linkSlow)
}

// Join makes the link whole again.
func (l *Link) Join() { l.set(linkJoined) }

func (l *Link) set(state linkState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = state
	l.joined.Broadcast()
}

// reset closes a connection so that the other side sees an error, not an end.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func (l *Link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed, l.state = true, linkJoined
	l.joined.Broadcast()
	for conn := range l.conns {
		_ = conn.Close()
	}
}

// enter waits while the link is cut. It reports whether anything passes.
func (l *Link) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.state == linkCut {
		l.joined.Wait()
	}
	return l.state != linkRefusing && !l.closed
}

// lag waits as long as the link is slow, and not longer than it is slow.
func (l *Link) lag() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != linkSlow {
		return
	}
	end := time.Now().Add(l.delay)
	waking := time.AfterFunc(l.delay, func() {
		l.mu.Lock() // so that it comes before a wait or during it
		defer l.mu.Unlock()
		l.joined.Broadcast()
	})
	defer waking.Stop()
	for l.state == linkSlow && time.Now().Before(end) {
		l.joined.Wait()
	}
}

// hold keeps a connection for close.
func (l *Link) hold(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[conn] = struct{}{}
	switch {
	case l.closed:
		_ = conn.Close()
	case l.state == linkRefusing:
		reset(conn)
	}
}

func (l *Link) drop(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
	_ = conn.Close()
}

func (l *Link) serve(near net.Conn) {
	l.hold(near)
	defer l.drop(near)
	if !l.enter() {
		return
	}
	far, err := net.Dial(l.network, l.target) //nolint:noctx // on this machine it does not wait
	if err != nil {
		return
	}
	l.hold(far)
	defer l.drop(far)
	var back sync.WaitGroup
	back.Go(func() { l.pass(near, far, func() {}) })
	l.pass(far, near, l.lag)
	back.Wait()
}

func (l *Link) pass(to io.WriteCloser, from io.Reader, lag func()) {
	defer func() { _ = to.Close() }()
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		lag()
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
