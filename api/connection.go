package api

import (
	"context"
	"net"
	"sync"
)

// netBuffer is the size of the buffer in which net/http collects the header of a response and the beginning of
// its body, before it writes them.
const netBuffer = 4 << 10

// firstParts are for connection.first.
var firstParts = sync.Pool{New: func() any { return new([netBuffer]byte) }}

// connection is a TCP connection that can write the two parts of a long response, in which net/http writes it,
// with one system call, so that they also arrive together. Otherwise it is like any other.
type connection struct {
	*net.TCPConn
	long  bool             // the next write may be the first part of a long response
	first *[netBuffer]byte // the part that waits for the second one; nil: none
	parts [2][]byte
}

// expectLong announces that the next response has at least netBuffer bytes, its header not counted.
func (c *connection) expectLong() { c.long = true }

// Write implements net.Conn. It keeps the first part of a long response, which the rest follows.
func (c *connection) Write(b []byte) (int, error) {
	long := c.long
	c.long = false
	switch {
	case c.first != nil:
		return c.writeBoth(b)
	case long && len(b) == netBuffer:
		c.first = firstParts.Get().(*[netBuffer]byte) //nolint:forcetypeassert // see firstParts
		return copy(c.first[:], b), nil
	}
	return c.TCPConn.Write(b)
}

// writeBoth writes the first part and b. It returns how much of b was written.
func (c *connection) writeBoth(b []byte) (int, error) {
	c.parts = [2][]byte{c.first[:], b}
	both := net.Buffers(c.parts[:])
	n, err := both.WriteTo(c.TCPConn)
	firstParts.Put(c.first)
	c.first, c.parts = nil, [2][]byte{}
	return max(0, int(n)-netBuffer), err
}

// Listener returns a listener for the servers of HTTPServer that accepts what another accepts. Without it, they
// write long responses in two parts.
func Listener(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return &connection{TCPConn: tcp}, err
	}
	return c, err
}

type connectionKey struct{}

// withConnection adds a connection to the context of its requests.
func withConnection(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, c)
}

// expectLongResponse announces the length of the body of the response to a request.
func expectLongResponse(ctx context.Context, length int) {
	if length < netBuffer {
		return
	}
	if c, ok := ctx.Value(connectionKey{}).(*connection); ok {
		c.expectLong()
	}
}
