package memory

import (
	"maps"
	"slices"
	"sync"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// Shared is the data that processes share and may lose.
type Shared struct {
	clock func() time.Time

	mu        sync.Mutex
	jumped    time.Duration // by how much the clock is ahead
	state     state
	listeners []chan struct{}
}

// state is all data. Its times are those of Shared's clock.
type state struct {
	leases     map[booking.TrainID]lease
	holds      map[booking.TrainID]map[booking.HoldID]hold
	heartbeats map[string]time.Time // when each expires on the members' clock, by member
	born       time.Time            // when the members were last lost; zero before the first heartbeat
	latest     time.Time            // the last heartbeat of any member
	paused     time.Duration        // by how much the members' clock is behind
}

type lease struct {
	persistence.Lease
	until time.Time
}

type hold struct {
	booking.Hold
	until time.Time
}

// NewShared returns an empty Shared with a clock.
func NewShared(clock func() time.Time) *Shared { return &Shared{clock: clock, state: newState()} }

func newState() state {
	return state{
		leases: map[booking.TrainID]lease{}, holds: map[booking.TrainID]map[booking.HoldID]hold{},
		heartbeats: map[string]time.Time{},
	}
}

// Client is the access of one process to Shared.
type Client struct {
	*Shared
	address string
	local   func() time.Time     // the clock of the process
	born    map[string]time.Time // state.born at the last heartbeat, by member
}

var (
	_ persistence.Holds   = (*Client)(nil)
	_ persistence.Leases  = (*Client)(nil)
	_ persistence.Members = (*Client)(nil)
)

// At returns the access of the process at an address, which has its own clock.
func (s *Shared) At(address string, local func() time.Time) *Client {
	return &Client{Shared: s, address: address, local: local, born: map[string]time.Time{}}
}

// Empty deletes everything.
func (s *Shared) Empty() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = newState()
}

// Jump moves the clock.
func (s *Shared) Jump(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jumped += by
}

// Snapshot returns a function that restores the current state, so that later writes are lost.
func (s *Shared) Snapshot() (restore func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.state
	kept.leases, kept.heartbeats = maps.Clone(kept.leases), maps.Clone(kept.heartbeats)
	kept.holds = make(map[booking.TrainID]map[booking.HoldID]hold, len(s.state.holds))
	for id, holds := range s.state.holds {
		kept.holds[id] = maps.Clone(holds)
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.state = kept
	}
}

// Holder returns the holder of a lease; false if nobody holds it.
func (s *Shared) Holder(id booking.TrainID) (persistence.Lease, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, held := s.holder(id)
	return l.Lease, held
}

func (s *Shared) now() time.Time { return s.clock().Add(s.jumped) }

// holder returns a lease that has not expired.
func (s *Shared) holder(id booking.TrainID) (lease, bool) {
	l, held := s.state.leases[id]
	if held && !l.until.After(s.now()) {
		delete(s.state.leases, id)
		return lease{}, false
	}
	return l, held
}

// notify sends to every channel of Changes.
func (s *Shared) notify() {
	for _, listener := range s.listeners {
		select {
		case listener <- struct{}{}:
		default: // one is pending already
		}
	}
}

func sorted(members map[string]time.Time) []string { return slices.Sorted(maps.Keys(members)) }
