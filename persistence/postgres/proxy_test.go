package postgres_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/postgres"
)

// The messages of the server before which the tests cut a connection
// (https://www.postgresql.org/docs/current/protocol-message-formats.html).
const (
	bindComplete  = '2' // the first message of the reply to a prepared statement
	commandDone   = 'C'
	readyForQuery = 'Z' // the last message of every reply, sent after the commit
)

// proxy forwards connections to Postgres, and the replies message by message.
type proxy struct {
	url      string // of the database, through the proxy
	socket   string
	listener net.Listener
	cut      atomic.Int32 // the kind of message before which a connection is cut; 0: none
	passing  atomic.Int32 // how many messages of that kind are forwarded first
	gate     sync.RWMutex // locked while nothing is forwarded
	silent   bool
}

// newProxy returns a proxy to the database at a URL with the directory of a socket.
func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	parsed, err := url.Parse(target)
	require.NoError(t, err)
	socket := filepath.Join(parsed.Query().Get("host"), ".s.PGSQL.5432")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	parsed.Host, parsed.RawQuery = listener.Addr().String(), "sslmode=disable"
	p := &proxy{url: parsed.String(), socket: socket, listener: listener}
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
		p.close()
		p.recover()
		connections.Wait()
	})
	return p
}

// close refuses new connections.
func (p *proxy) close() { _ = p.listener.Close() }

// silence stops to forward anything. Connections stay open, and new ones are accepted.
func (p *proxy) silence() {
	p.gate.Lock()
	p.silent = true
}

// recover forwards again, first what was sent meanwhile.
func (p *proxy) recover() {
	if p.silent {
		p.silent = false
		p.gate.Unlock()
	}
}

// gated forwards to a Writer, unless the proxy is silent.
type gated struct {
	*proxy
	to io.Writer
}

func (g gated) Write(b []byte) (int, error) {
	g.gate.RLock()
	defer g.gate.RUnlock()
	return g.to.Write(b)
}

// cutBefore cuts the connection with the next message of a kind, before that message and after
// forwarding a number of them. The server has received the client's messages by then.
func (p *proxy) cutBefore(kind rune, after int) {
	p.passing.Store(int32(after))
	p.cut.Store(kind)
}

// open opens the database through the proxy and waits for the connections that it keeps, so that a
// cut does not affect one that is being opened.
func (p *proxy) open(t *testing.T) *postgres.DB {
	t.Helper()
	db := openAt(t, p.url)
	awaitSettled(t, db)
	return db
}

// awaitSettled waits until the database has opened the connections that it keeps.
func awaitSettled(t *testing.T, db *postgres.DB) {
	t.Helper()
	require.Eventually(t, db.Settled, 10*time.Second, time.Millisecond)
}

// neverPing makes the database use its idle connections without a ping, as if each had been used a
// moment ago.
func neverPing(t *testing.T, db *postgres.DB) {
	t.Helper()
	db.SetLastUse(t.Context(), time.Now().Add(time.Hour))
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", p.socket)
	if err != nil {
		return
	}
	defer server.Close()
	var upstream sync.WaitGroup
	defer upstream.Wait()
	upstream.Go(func() {
		_, _ = io.Copy(gated{p, server}, client)
		server.Close()
	})
	p.forward(gated{p, client}, server)
	client.Close()
}

// forward forwards messages: a byte for the kind, four for the length, including themselves, and
// the body.
func (p *proxy) forward(client io.Writer, server io.Reader) {
	head := make([]byte, 5)
	for {
		if _, err := io.ReadFull(server, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(server, body); err != nil {
			return
		}
		if kind := int32(head[0]); p.cut.Load() == kind && p.passing.Add(-1) < 0 && p.cut.CompareAndSwap(kind, 0) {
			return
		}
		if _, err := client.Write(append(head[:5:5], body...)); err != nil {
			return
		}
	}
}
