package actors

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

	"trainbooking.dev/booking"
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

// peer is another member. It is immutable: a member that changes its description becomes
// another peer with the same channel.
type peer struct {
	member
	left chan struct{} // closed when the peer is no longer a member
}

// membership is the list of the members of the cluster. It keeps this process one of them.
//
//	join ──▶ member ──▶ draining (gets no trains) ──▶ left
//	            └─────▶ evicted: its heartbeats were late, and its peers removed it
//
// While the store of the heartbeats is unreachable, the last known members remain. After
// that store lost its data, no member is removed for a MemberTTL. Safe for concurrent use.
type membership struct {
	store   persistence.Members
	changed func(departed []string) // addresses that no member has any longer
	evicted func()
	log     *slog.Logger

	heartbeatMu sync.Mutex // one call at a time, so that the newest result is applied last

	mu            sync.Mutex
	self          member
	registered    string // the description in the store, "" before the join
	left          bool   // or evicted
	peers         map[uuid.UUID]*peer
	serving       []string // addresses of the members that get trains, sorted
	lastHeartbeat time.Time
}

func newMembership(store persistence.Members, address string) *membership {
	return &membership{
		store: store, self: member{ID: uuid.New(), Address: address}, peers: map[uuid.UUID]*peer{},
		log: slog.New(slog.DiscardHandler),
	}
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
		if err := m.heartbeat(ctx); err != nil && ctx.Err() == nil {
			m.log.Warn("heartbeat failed", slog.Any("error", err))
		}
	}
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
	departed, changed := m.merge(members, found.Since < persistence.MemberTTL)
	if changed {
		m.changed(departed)
	}
	return nil
}

// merge returns the addresses that no member has any longer, and whether trains may have
// another owner. With keep, a missing member may not have rejoined yet and is kept.
func (m *membership) merge(members map[uuid.UUID]member, keep bool) (departed []string, changed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lastHeartbeat = time.Now()
	delete(members, m.self.ID)
	for id, p := range m.peers {
		if _, found := members[id]; !found && !keep {
			close(p.left)
			delete(m.peers, id)
			departed = append(departed, p.Address)
		}
	}
	for id, other := range members {
		left := make(chan struct{})
		if p := m.peers[id]; p != nil {
			left = p.left
		}
		m.peers[id] = &peer{member: other, left: left}
	}
	before := m.serving
	m.serving = m.servingNow()
	departed = slices.DeleteFunc(departed, func(address string) bool { return m.peerAt(address) != nil })
	return departed, len(departed) > 0 || !slices.Equal(before, m.serving)
}

func (m *membership) servingNow() (addresses []string) {
	if !m.left && !m.self.Draining {
		addresses = append(addresses, m.self.Address)
	}
	for _, p := range m.peers {
		if !p.Draining {
			addresses = append(addresses, p.Address)
		}
	}
	slices.Sort(addresses)
	return slices.Compact(addresses)
}

// all returns every peer.
func (m *membership) all() []*peer {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.peers))
}

// at returns the peer with an address, or nil.
func (m *membership) at(address string) *peer {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.peerAt(address)
}

func (m *membership) peerAt(address string) *peer {
	for _, p := range m.peers {
		if p.Address == address {
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

// proposedOwner returns the address that is to own a train, the one with the highest hash
// of both, so that a member that joins or leaves moves only its own share of the trains
// (rendezvous hashing). It is "" when no member gets trains.
func (m *membership) proposedOwner(id booking.TrainID) (owner string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var highest uint64
	for _, address := range m.serving {
		var hash xxhash.Digest
		hash.Reset()
		_, _ = hash.Write(id[:])
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
