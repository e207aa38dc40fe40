package actors

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// beatEvery keeps a member in through three lost heartbeats.
const beatEvery = persistence.MemberTTL / 4

// member is a process as its peers see it: what it writes beside its heartbeat.
type member struct {
	ID       uuid.UUID `json:"id"` // made anew at each start
	Address  string    `json:"address"`
	Draining bool      `json:"draining,omitempty"` // it is given no trains, and hands over its own
}

func (m member) text() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // none of these types can fail
	}
	return string(b)
}

// peer is another member, until it has left. It is never changed: a member that says
// something new of itself is another peer with the same end.
type peer struct {
	member
	left chan struct{} // closed when it is none any more
}

// membership knows the members of the cluster and keeps this process one of them.
//
//	join ──▶ in ──▶ draining (given no trains) ──▶ left
//	          └───▶ evicted: its heartbeat was missed, its peers went on without it
//
// While the store of heartbeats is out of reach the last members stand. After it lost
// them, nobody is missed for a MemberTTL. Safe for concurrent use.
type membership struct {
	contract persistence.Members
	changed  func(gone []string) // addresses that no member has any more
	evicted  func()
	log      *slog.Logger

	beating sync.Mutex // one call at a time, so that an older answer does not come last

	mu      sync.Mutex
	self    member
	told    string // what the store was told last of it, "" before it has joined
	out     bool   // left, or evicted
	peers   map[uuid.UUID]*peer
	serving []string // addresses that trains are given to, sorted
	heard   time.Time
}

func newMembership(contract persistence.Members, address string) *membership {
	return &membership{
		contract: contract, self: member{ID: uuid.New(), Address: address}, peers: map[uuid.UUID]*peer{},
		log: slog.New(slog.DiscardHandler),
	}
}

// run sends heartbeats until ctx ends, earlier when members have changed.
func (m *membership) run(ctx context.Context) {
	changes := m.contract.Changes(ctx)
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-changes:
		}
		if err := m.beat(ctx); err != nil && ctx.Err() == nil {
			m.log.Warn("no heartbeat", slog.Any("error", err))
		}
	}
}

// beat is one heartbeat. The first joins, and so does one that says something new of this
// process, which takes off what it said before; one that has left only looks.
func (m *membership) beat(ctx context.Context) error {
	m.beating.Lock()
	defer m.beating.Unlock()
	m.mu.Lock()
	self, told, out := m.self.text(), m.told, m.out
	m.mu.Unlock()
	found, err := m.call(ctx, self, told, out)
	switch {
	case err != nil:
		return err
	case found.Evicted && !out:
		m.mu.Lock()
		m.out = true
		m.mu.Unlock()
		m.evicted()
		return nil
	}
	m.mu.Lock()
	m.told = self
	m.mu.Unlock()
	if told != "" && told != self && !out {
		if err := m.contract.Leave(ctx, told); err != nil {
			m.log.Warn("what this process said before ends by itself", slog.Any("error", err))
		}
	}
	return m.see(found)
}

func (m *membership) call(ctx context.Context, self, told string, out bool) (persistence.Membership, error) {
	switch {
	case out:
		return m.contract.ListMembers(ctx)
	case self != told:
		return m.contract.Join(ctx, self)
	}
	return m.contract.Heartbeat(ctx, self)
}

// see takes over what a heartbeat found.
func (m *membership) see(found persistence.Membership) error {
	members := map[uuid.UUID]member{}
	for _, text := range found.Members {
		var other member
		if err := json.Unmarshal([]byte(text), &other); err != nil {
			return fmt.Errorf("%q is no member: %w", text, err)
		}
		if members[other.ID].Draining { // it is about to take off what it was before
			continue
		}
		members[other.ID] = other
	}
	gone, moved := m.merge(members, found.Since < persistence.MemberTTL)
	if moved {
		m.changed(gone)
	}
	return nil
}

// merge returns the addresses that no member has any more, and whether trains may have
// another owner. With keep, who is missing may only not have come back yet.
func (m *membership) merge(members map[uuid.UUID]member, keep bool) (gone []string, moved bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heard = time.Now()
	delete(members, m.self.ID)
	for id, p := range m.peers {
		if _, there := members[id]; !there && !keep {
			close(p.left)
			delete(m.peers, id)
			gone = append(gone, p.Address)
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
	gone = slices.DeleteFunc(gone, func(address string) bool {
		return slices.ContainsFunc(m.everybody(), func(p *peer) bool { return p.Address == address })
	})
	return gone, len(gone) > 0 || !slices.Equal(before, m.serving)
}

func (m *membership) servingNow() (addresses []string) {
	if !m.out && !m.self.Draining {
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

func (m *membership) everybody() []*peer {
	all := make([]*peer, 0, len(m.peers))
	for _, p := range m.peers {
		all = append(all, p)
	}
	return all
}

// all returns every peer there is.
func (m *membership) all() []*peer {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.everybody()
}

// at returns the peer with an address, nil if there is none.
func (m *membership) at(address string) *peer {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.peers {
		if p.Address == address {
			return p
		}
	}
	return nil
}

// count returns how many members there are, this process among them while it is one.
func (m *membership) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.out {
		return len(m.peers)
	}
	return len(m.peers) + 1
}

// owner proposes who shall own a train: the address with the highest hash of both, so
// that a member that comes or goes moves only its own share (rendezvous hashing).
// "" when there is nobody.
func (m *membership) owner(id booking.TrainID) (owner string) {
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

// drain tells the peers to give this process no trains. They still know it, so that it
// can ask them and they answer.
func (m *membership) drain(ctx context.Context) error {
	m.mu.Lock()
	m.self.Draining = true
	m.serving = m.servingNow()
	m.mu.Unlock()
	return m.beat(ctx)
}

// isMember reports whether the store was told of this process.
func (m *membership) isMember() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.told != "" && !m.out
}

// leave takes this process off. It goes on looking.
func (m *membership) leave(ctx context.Context) error {
	m.beating.Lock()
	defer m.beating.Unlock()
	member := m.isMember()
	m.mu.Lock()
	told := m.told
	m.out = true
	m.mu.Unlock()
	if !member {
		return nil
	}
	return m.contract.Leave(ctx, told)
}

// joined says why this process is no member that peers count on.
func (m *membership) joined() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch since := time.Since(m.heard); {
	case m.out:
		return ErrEvicted
	case since > persistence.MemberTTL:
		return fmt.Errorf("no heartbeat for %s: is Redis there?", since.Round(time.Second))
	}
	return nil
}
