package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"
	"google.golang.org/grpc"

	"trainbooking.dev/persistence"
)

// heartbeatInterval lets a member miss three heartbeats before it is evicted.
const heartbeatInterval = persistence.MemberTTL / 4

// member is the description of a process that its heartbeats carry.
type member struct {
	ID       uuid.UUID `json:"id"` // a new one at each start
	Address  string    `json:"address"`
	Draining bool      `json:"draining,omitempty"` // gets no trains and hands off its own
}

func (m member) text() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // every field can be encoded
	}
	return string(b)
}

// Peer is another member. It is immutable: a member that changes its description becomes another
// Peer with the same connection.
type Peer struct {
	member
	connection *grpc.ClientConn
	left       chan struct{} // closed when the peer is no longer a member
}

// Address returns the host:port that its leases contain.
func (p *Peer) Address() string { return p.member.Address }

// Connection returns the connection for calls of the peer. It is closed when the peer is no longer
// a member. A call is sent once; it may be executed even if it fails.
func (p *Peer) Connection() grpc.ClientConnInterface { return p.connection }

// Left returns a channel that is closed when the peer is no longer a member.
func (p *Peer) Left() <-chan struct{} { return p.left }

// membership is the list of the members of the cluster. It keeps this process one of them.
//
//	join ──▶ member ──▶ draining (gets no trains) ──▶ left
//	            └─────▶ evicted: its heartbeats were late, and its peers removed it
//
// While the store of the heartbeats is unreachable, the last known members remain. After
// that store lost its data, no member is removed for a MemberTTL. Safe for concurrent use.
type membership struct {
	store     persistence.Members
	dial      func(address string) (*grpc.ClientConn, error)
	changed   func() // trains may have another owner
	evicted   func()
	recovered func() // heartbeats succeed again
	clock     clock
	log       *slog.Logger

	heartbeatMu sync.Mutex // one call at a time, so that the newest result is applied last

	mu            sync.Mutex
	self          member
	registered    string // the description in the store, "" before the join
	left          bool   // or evicted
	peers         map[uuid.UUID]*Peer
	serving       []string // addresses of the members that get trains, sorted
	lastHeartbeat time.Time
	failing       bool // the last heartbeat of run failed
}

func newMembership(store persistence.Members, address string) *membership {
	return &membership{store: store, self: member{ID: uuid.New(), Address: address}, peers: map[uuid.UUID]*Peer{}}
}

// run sends heartbeats until ctx ends, at each interval and when members have changed.
func (m *membership) run(ctx context.Context) {
	changes := m.store.Changes(ctx)
	tick := time.NewTicker(heartbeatInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-changes:
		}
		err := m.heartbeat(ctx)
		m.mu.Lock()
		failed := m.failing
		m.failing = err != nil
		m.mu.Unlock()
		switch {
		case err != nil && ctx.Err() == nil:
			m.log.Warn("heartbeat failed", slog.Any("error", err))
		case err == nil && failed:
			m.recovered()
		}
	}
}

// unreachable reports whether the last heartbeat failed. Then recovered will be called.
func (m *membership) unreachable() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failing
}

// heartbeat sends one heartbeat and applies the membership that it returns. The first one
// joins, and so does one with a new description, which then replaces the old one. A process
// that has left only reads the membership.
func (m *membership) heartbeat(ctx context.Context) error {
	m.heartbeatMu.Lock()
	defer m.heartbeatMu.Unlock()
	m.mu.Lock()
	self, registered, left := m.self.text(), m.registered, m.left
	m.mu.Unlock()
	sent := monotonic()
	found, err := m.call(ctx, self, registered, left)
	switch {
	case err != nil:
		return err
	case found.Evicted && !left:
		m.mu.Lock()
		m.left = true
		m.mu.Unlock()
		m.evicted()
		return nil
	}
	m.clock.set(found.Now, sent, monotonic())
	m.mu.Lock()
	m.registered = self
	m.mu.Unlock()
	if registered != "" && registered != self && !left {
		if err := m.store.Leave(ctx, registered); err != nil {
			m.log.Warn("old member entry not removed; it will expire", slog.Any("error", err))
		}
	}
	return m.apply(found)
}

func (m *membership) call(ctx context.Context, self, registered string, left bool) (persistence.Membership, error) {
	switch {
	case left:
		return m.store.ListMembers(ctx)
	case self != registered:
		return m.store.Join(ctx, self)
	}
	return m.store.Heartbeat(ctx, self)
}

// apply applies the membership that a heartbeat returned.
func (m *membership) apply(found persistence.Membership) error {
	members := map[uuid.UUID]member{}
	for _, text := range found.Members {
		var other member
		if err := json.Unmarshal([]byte(text), &other); err != nil {
			return fmt.Errorf("%q is no member: %w", text, err)
		}
		if members[other.ID].Draining { // its old entry, which it is about to remove
			continue
		}
		members[other.ID] = other
	}
	changed, err := m.merge(members, found.Since < persistence.MemberTTL)
	if changed {
		m.changed()
	}
	return err
}

// merge reports whether keys may have another owner. With keep, a missing member may not have
// rejoined yet and is kept. Without an error every member is a peer.
func (m *membership) merge(members map[uuid.UUID]member, keep bool) (changed bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lastHeartbeat = time.Now()
	delete(members, m.self.ID)
	for id, p := range m.peers {
		if _, found := members[id]; !found && !keep {
			delete(m.peers, id)
			close(p.left)
			_ = p.connection.Close() // it fails only if it is closed already
			changed = true
		}
	}
	for id, other := range members {
		p := &Peer{member: other}
		if known := m.peers[id]; known != nil {
			p.connection, p.left = known.connection, known.left
		} else if p.connection, err = m.dial(other.Address); err != nil {
			return changed, fmt.Errorf("connect to %s: %w", other.Address, err)
		} else {
			p.left = make(chan struct{})
		}
		m.peers[id] = p
	}
	before := m.serving
	m.serving = m.servingNow()
	return changed || !slices.Equal(before, m.serving), nil
}

// close closes the connections to all peers.
func (m *membership) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, p := range m.peers {
		delete(m.peers, id)
		_ = p.connection.Close()
	}
}

func (m *membership) servingNow() (addresses []string) {
	if !m.left && !m.self.Draining {
		addresses = append(addresses, m.self.Address)
	}
	for _, p := range m.peers {
		if !p.Draining {
			addresses = append(addresses, p.member.Address)
		}
	}
	slices.Sort(addresses)
	return slices.Compact(addresses)
}

// all returns every peer.
func (m *membership) all() []*Peer {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.peers))
}

// at returns the peer with an address, or nil.
func (m *membership) at(address string) *Peer {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.peerAt(address)
}

func (m *membership) peerAt(address string) *Peer {
	for _, p := range m.peers {
		if p.member.Address == address {
			return p
		}
	}
	return nil
}

// count returns the number of members, this process included unless it has left.
func (m *membership) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left {
		return len(m.peers)
	}
	return len(m.peers) + 1
}

// owner implements Cluster.ProposedOwner.
func (m *membership) owner(key Key) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Rendezvous(m.serving, key)
}

// Rendezvous returns the address that is to own a key: the one with the highest hash of both, so
// that a member that joins or leaves moves only its own share of the keys (rendezvous hashing). It
// is "" if there are no addresses.
func Rendezvous(addresses []string, key Key) (owner string) {
	var highest uint64
	for _, address := range addresses {
		var hash xxhash.Digest
		hash.Reset()
		_, _ = hash.Write(key[:])
		_, _ = hash.WriteString(address)
		if sum := hash.Sum64(); owner == "" || sum > highest {
			owner, highest = address, sum
		}
	}
	return owner
}

// drain makes this process a member that gets no trains. It can still call its peers, and
// they can call it.
func (m *membership) drain(ctx context.Context) error {
	m.mu.Lock()
	m.self.Draining = true
	m.serving = m.servingNow()
	m.mu.Unlock()
	return m.heartbeat(ctx)
}

// isMember reports whether this process has joined and not left.
func (m *membership) isMember() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.registered != "" && !m.left
}

// leave ends the membership of this process. Later heartbeats only read the members.
func (m *membership) leave(ctx context.Context) error {
	m.heartbeatMu.Lock()
	defer m.heartbeatMu.Unlock()
	member := m.isMember()
	m.mu.Lock()
	registered := m.registered
	m.left = true
	m.mu.Unlock()
	if !member {
		return nil
	}
	return m.store.Leave(ctx, registered)
}

// joined returns an error that says why this process is not a member now, nil if it is one.
func (m *membership) joined() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch since := time.Since(m.lastHeartbeat); {
	case m.left:
		return ErrEvicted
	case since > persistence.MemberTTL:
		return fmt.Errorf("no heartbeat for %s: is Redis running?", since.Round(time.Second))
	}
	return nil
}
