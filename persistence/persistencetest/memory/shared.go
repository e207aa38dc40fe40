package memory

import (
	"maps"
	"slices"
	"sync"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// Shared is what processes share and may lose.
type Shared struct {
	clock func() time.Time

	mu        sync.Mutex
	jumped    time.Duration // by how much the clock is ahead
	state     state
	listeners []chan struct{}
}

// state is all that is kept; times are of Shared's own clock.
type state struct {
	leases     map[booking.TrainID]lease
	holds      map[booking.TrainID]map[booking.HoldID]hold
	beats      map[string]time.Time // when the heartbeat ends
	born, beat time.Time            // the marker; zero: there is none
}

type lease struct {
	persistence.Lease
	until time.Time
}

type hold struct {
	booking.Hold
	until time.Time
}

// NewShared returns an empty one on the clock given.
func NewShared(clock func() time.Time) *Shared { return &Shared{clock: clock, state: newState()} }

func newState() state {
	return state{
		leases: map[booking.TrainID]lease{}, holds: map[booking.TrainID]map[booking.HoldID]hold{},
		beats: map[string]time.Time{},
	}
}

// Client is Shared as one process sees it.
type Client struct {
	*Shared
	address string
	local   func() time.Time     // the clock of the process
	born    map[string]time.Time // the marker that a member saw last
}

var (
	_ persistence.Holds   = (*Client)(nil)
	_ persistence.Leases  = (*Client)(nil)
	_ persistence.Members = (*Client)(nil)
)

// At returns Shared as the process at an address sees it, which has a clock of its own.
func (s *Shared) At(address string, local func() time.Time) *Client {
	return &Client{Shared: s, address: address, local: local, born: map[string]time.Time{}}
}

// Empty loses everything.
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

// Copy returns a function that makes everything be again as it is now: what was written
// in between is lost.
func (s *Shared) Copy() (back func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.state
	kept.leases, kept.beats = maps.Clone(kept.leases), maps.Clone(kept.beats)
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

// Holder returns who holds a lease now, false if nobody does, for those who look on.
func (s *Shared) Holder(id booking.TrainID) (persistence.Lease, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, held := s.holder(id)
	return l.Lease, held
}

// now is the time by Shared's clock.
func (s *Shared) now() time.Time { return s.clock().Add(s.jumped) }

// holder returns a lease that has not ended.
func (s *Shared) holder(id booking.TrainID) (lease, bool) {
	l, held := s.state.leases[id]
	if held && !l.until.After(s.now()) {
		delete(s.state.leases, id)
		return lease{}, false
	}
	return l, held
}

// tell wakes everybody who listens for changes.
func (s *Shared) tell() {
	for _, listener := range s.listeners {
		select {
		case listener <- struct{}{}:
		default: // one is waiting already
		}
	}
}

func sorted(members map[string]time.Time) []string { return slices.Sorted(maps.Keys(members)) }
