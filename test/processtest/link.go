package processtest

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Link is a TCP proxy in front of a server that injects faults until Restore:
//
//	Cut      no data passes and no connection is reset, as when a cable is pulled; what is
//	         sent during the cut arrives after it
//	Refuse   open and new connections are reset
//	Slow     each read from a client is forwarded after a delay
//	Silence  nothing that one of the clients sends passes; it arrives after the silence
type Link struct {
	Address string // of the proxy, host:port

	network string

	mu      sync.Mutex
	target  string
	state   linkState
	delay   time.Duration // in linkSlow
	silent  net.Conn      // of the client that linkSilent affects; nil until one sends
	changed *sync.Cond    // the state, or a delay is over
	conns   map[net.Conn]struct{}
	closed  bool
}

// After a silence, TCP begins with one segment in each round trip. So a call that was cancelled during
// the silence can arrive before its cancellation.
const (
	segment   = 1448 // bytes
	roundTrip = time.Millisecond
	slowStart = time.Second
)

type linkState int

const (
	linkOpen linkState = iota
	linkCut
	linkRefusing
	linkSlow
	linkSilent
)

// NewLink returns a link to the server at target on a network ("tcp", "unix"), which may start
// later. It is closed when the test ends.
func NewLink(t *testing.T, network, target string) *Link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait
	require.NoError(t, err)
	l := &Link{Address: listener.Addr().String(), network: network, target: target, conns: map[net.Conn]struct{}{}}
	l.changed = sync.NewCond(&l.mu)
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

// Cut lets nothing pass until Restore.
func (l *Link) Cut() { l.set(linkCut) }

// Refuse resets connections until Restore.
func (l *Link) Refuse() {
	l.set(linkRefusing)
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		reset(conn)
	}
}

// Slow delays what is sent to the server until Restore.
func (l *Link) Slow(delay time.Duration) {
	l.mu.Lock()
	l.delay = delay
	l.mu.Unlock()
	l.set(linkSlow)
}

// Silence lets nothing pass that the next client to send sends, until Restore. What the server sends
// passes.
func (l *Link) Silence() {
	l.mu.Lock()
	l.silent = nil
	l.mu.Unlock()
	l.set(linkSilent)
}

// Retarget makes new connections connect to another server.
func (l *Link) Retarget(target string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.target = target
}

// Restore ends the fault.
func (l *Link) Restore() { l.set(linkOpen) }

func (l *Link) set(state linkState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = state
	l.changed.Broadcast()
}

// reset closes a connection with a RST, which the other side gets as an error.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func (l *Link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed, l.state = true, linkOpen
	l.changed.Broadcast()
	for conn := range l.conns {
		_ = conn.Close()
	}
}

// awaitOpen waits while the link is cut. It reports whether the connection may be used.
func (l *Link) awaitOpen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.state == linkCut {
		l.changed.Wait()
	}
	return l.state != linkRefusing && !l.closed
}

// awaitDelay waits for the delay of a slow link, or until the link is slow no longer.
func (l *Link) awaitDelay() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != linkSlow {
		return
	}
	end := time.Now().Add(l.delay)
	waking := time.AfterFunc(l.delay, func() {
		l.mu.Lock() // else it could come between the condition and the wait
		defer l.mu.Unlock()
		l.changed.Broadcast()
	})
	defer waking.Stop()
	for l.state == linkSlow && time.Now().Before(end) {
		l.changed.Wait()
	}
}

// awaitSilence waits while the client of a connection is silent. It reports whether it was.
func (l *Link) awaitSilence(client net.Conn) (wasSilent bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == linkSilent && l.silent == nil {
		l.silent = client
	}
	for l.state == linkSilent && l.silent == client {
		wasSilent = true
		l.changed.Wait()
	}
	return wasSilent
}

// client reads what a client sends, with the faults that affect that direction alone.
type client struct {
	net.Conn

	link      *Link
	recovered time.Time // the end of its last silence
}

func (c *client) Read(b []byte) (int, error) {
	if time.Since(c.recovered) < slowStart {
		<-time.After(roundTrip)
		b = b[:segment]
	}
	n, err := c.Conn.Read(b)
	c.link.awaitDelay()
	if c.link.awaitSilence(c.Conn) {
		c.recovered = time.Now()
	}
	return n, err
}

// add keeps a connection for close and Refuse.
func (l *Link) add(conn net.Conn) {
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

func (l *Link) remove(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
	_ = conn.Close()
}

func (l *Link) serve(near net.Conn) {
	l.add(near)
	defer l.remove(near)
	if !l.awaitOpen() {
		return
	}
	l.mu.Lock()
	target := l.target
	l.mu.Unlock()
	far, err := net.Dial(l.network, target) //nolint:noctx // on the same machine
	if err != nil {
		return
	}
	l.add(far)
	defer l.remove(far)
	var back sync.WaitGroup
	back.Go(func() { l.copy(near, far) })
	l.copy(far, &client{Conn: near, link: l})
	back.Wait()
}

func (l *Link) copy(to io.WriteCloser, from io.Reader) {
	defer func() { _ = to.Close() }()
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if !l.awaitOpen() {
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
