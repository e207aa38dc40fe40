package redis_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy forwards connections to Redis and can cut or delay them.
type proxy struct {
	address, target string
	upstream        budget // from the DB to Redis
	downstream      budget
	closed          atomic.Bool // new connections are cut at once
	late            atomic.Pointer[delay]
}

// delay delays the next data that any client sends.
type delay struct {
	arrive  func()        // ends the delay; called at the end of the test too
	arrived chan struct{} // closed by arrive
	read    chan struct{} // closed when Redis has read everything
}

// delayNext delays the next data that a client sends.
func (p *proxy) delayNext(t *testing.T) *delay {
	t.Helper()
	d := &delay{arrived: make(chan struct{}), read: make(chan struct{})}
	d.arrive = sync.OnceFunc(func() { close(d.arrived) })
	t.Cleanup(d.arrive)
	p.late.Store(d)
	return d
}

// budget is the number of bytes that are forwarded before a connection is cut, once; negative:
// no limit.
type budget struct{ left atomic.Int64 }

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{address: listener.Addr().String(), target: target}
	p.upstream.left.Store(-1)
	p.downstream.left.Store(-1)
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		connections.Wait()
	})
	return p
}

// serve forwards one connection. Redis reads everything that was forwarded, even if the
// connection is cut after it.
func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	if p.closed.Load() {
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	var back sync.WaitGroup
	back.Go(func() {
		p.downstream.pass(client, server)
		client.Close()
	})
	delayed := &delayedConn{Conn: client, proxy: p}
	p.upstream.pass(server, delayed)
	server.(*net.TCPConn).CloseWrite() //nolint:errcheck,forcetypeassert // a TCP connection that ends
	back.Wait()
	if delayed.delay != nil {
		close(delayed.delay.read)
	}
}

// pass copies until the source ends or the budget is exhausted.
func (b *budget) pass(to io.Writer, from io.Reader) {
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		left := b.left.Load()
		cut := left >= 0 && int64(n) > left
		if cut {
			n = int(left)
			b.left.Store(-1)
		} else if left >= 0 {
			b.left.Store(left - int64(n))
		}
		if _, err := to.Write(buffer[:n]); err != nil || cut {
			return
		}
	}
}

// delayedConn is a connection that the next delay may apply to.
type delayedConn struct {
	net.Conn
	proxy *proxy
	delay *delay
}

func (s *delayedConn) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if late := s.proxy.late.Swap(nil); late != nil {
		s.delay = late
		<-late.arrived
	}
	return n, err
}
