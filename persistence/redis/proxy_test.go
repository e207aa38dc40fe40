package redis_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy passes connections on to Redis until it is told to cut them.
type proxy struct {
	address, target string
	upstream        budget // from the DB to Redis
	downstream      budget
	closed          atomic.Bool // new connections are cut at once
	late            atomic.Pointer[delay]
}

// delay holds back what the next connection that says something has to say.
type delay struct {
	arrive func()        // it may arrive; at the end of the test it does anyhow
	coming chan struct{} // closed by arrive
	read   chan struct{} // closed when Redis has read it all
}

// delayNext makes the next that is said come late.
func (p *proxy) delayNext(t *testing.T) *delay {
	t.Helper()
	d := &delay{coming: make(chan struct{}), read: make(chan struct{})}
	d.arrive = sync.OnceFunc(func() { close(d.coming) })
	t.Cleanup(d.arrive)
	p.late.Store(d)
	return d
}

// budget is how many bytes may pass before the connection they come over is cut, once.
// Negative: all.
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

// serve passes on what comes over one connection. Redis reads what passed upstream to the
// end, also when the connection is cut after it.
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
	speaker := &speaker{Conn: client, proxy: p}
	p.upstream.pass(server, speaker)
	server.(*net.TCPConn).CloseWrite() //nolint:errcheck,forcetypeassert // a TCP connection that ends
	back.Wait()
	if speaker.delay != nil {
		close(speaker.delay.read)
	}
}

// pass copies until the source ends or the budget is used up.
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

// speaker is a connection that the next delay may be for.
type speaker struct {
	net.Conn
	proxy *proxy
	delay *delay
}

func (s *speaker) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if late := s.proxy.late.Swap(nil); late != nil {
		s.delay = late
		<-late.coming
	}
	return n, err
}
