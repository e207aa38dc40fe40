// Package clustertest has a network of several cluster.Nodes in one process, whose links can be
// silenced. It works on virtual time (testing/synctest).
package clustertest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"trainbooking.dev/cluster"
)

// errRefused is returned by a dial to an address at which no Node listens.
var errRefused = errors.New("connection refused")

// Network connects Nodes. A silent link keeps what is sent and delivers it when it recovers, as
// TCP does. The zero value is ready to use. It is safe for concurrent use.
type Network struct {
	mu        sync.Mutex
	listeners map[string]*listener
	silent    map[link]bool
	recovered sync.Cond // of mu
}

// link is one direction between two addresses.
type link struct{ from, to string }

// At returns the network as the Node with an address sees it.
func (n *Network) At(address string) cluster.Network {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners == nil {
		n.listeners, n.silent, n.recovered.L = map[string]*listener{}, map[link]bool{}, &n.mu
	}
	return node{n, address}
}

// Silence silences the link from one address to another.
func (n *Network) Silence(from, to string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.silent[link{from, to}] = true
}

// Partition silences the links between an address and all others.
func (n *Network) Partition(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for other := range n.listeners {
		if other != address {
			n.silent[link{address, other}], n.silent[link{other, address}] = true, true
		}
	}
}

// Heal makes all links recover.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.silent)
	n.recovered.Broadcast()
}

// awaitLink waits until a link is not silent or ctx ends.
func (n *Network) awaitLink(ctx context.Context, l link) error {
	defer context.AfterFunc(ctx, n.recovered.Broadcast)()
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.silent[l] && ctx.Err() == nil {
		n.recovered.Wait()
	}
	return ctx.Err()
}

// node implements cluster.Network.
type node struct {
	*Network
	address string
}

func (n node) Listen(_ context.Context, address string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &listener{address: address, accepted: make(chan net.Conn), closed: make(chan struct{})}
	l.close = sync.OnceFunc(func() { close(l.closed) })
	n.listeners[n.address] = l
	return l, nil
}

func (n node) Dial(ctx context.Context, address string) (net.Conn, error) {
	there, back := link{n.address, address}, link{address, n.address}
	for _, l := range []link{there, back} { // a connection needs both
		if err := n.awaitLink(ctx, l); err != nil {
			return nil, err
		}
	}
	n.mu.Lock()
	to := n.listeners[address]
	n.mu.Unlock()
	if to == nil {
		return nil, errRefused
	}
	local, localEnd := net.Pipe()
	remote, remoteEnd := net.Pipe()
	select {
	case to.accepted <- remote:
		go n.carry(there, localEnd, remoteEnd) //nolint:gosec // the connection outlives the dial
		go n.carry(back, remoteEnd, localEnd)  //nolint:gosec // the connection outlives the dial
		return local, nil
	case <-to.closed:
		return nil, errRefused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// carry delivers what is sent on one direction of a connection, until an end is closed.
func (n *Network) carry(l link, from, to net.Conn) {
	var mu sync.Mutex
	var sent [][]byte
	arrived := make(chan struct{}, 1)
	go func() {
		defer close(arrived)
		for {
			buffer := make([]byte, 32<<10)
			size, err := from.Read(buffer)
			if err != nil {
				return
			}
			mu.Lock()
			sent = append(sent, buffer[:size])
			mu.Unlock()
			select {
			case arrived <- struct{}{}:
			default:
			}
		}
	}()
	defer from.Close()
	defer to.Close()
	for open := true; open; {
		_, open = <-arrived
		_ = n.awaitLink(context.Background(), l)
		mu.Lock()
		delivered := sent
		sent = nil
		mu.Unlock()
		for _, b := range delivered {
			if _, err := to.Write(b); err != nil {
				return
			}
		}
	}
}

// listener implements net.Listener.
type listener struct {
	address  string
	accepted chan net.Conn
	closed   chan struct{}
	close    func()
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accepted:
		return c, nil
	case <-l.closed:
		return nil, io.EOF
	}
}

func (l *listener) Close() error {
	l.close()
	return nil
}

func (l *listener) Addr() net.Addr { return address(l.address) }

type address string

func (address) Network() string  { return "memory" }
func (a address) String() string { return string(a) }
