package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/test/processtest"
)

// kind is a kind of fault.
type kind struct {
	name     string
	shortest time.Duration // how long it lasts
	longest  time.Duration
	// inject begins the fault, to a process where it is one of a process.
	inject func(*run, *node)
	heal   func(*run, *node)
	// unseats: the process loses its trains by it.
	unseats bool
	mayEnd  bool // the process may find afterwards that its peers went on without it
	alone   bool // never beside another
	store   bool // no process in particular
}

// kinds are the faults, in the order in which two of them begin and heal: whoever starts
// needs the stores, and Redis is emptied before it goes.
var kinds = []*kind{
	{
		name: "Postgres killed", shortest: 500 * time.Millisecond, longest: 3 * time.Second, store: true,
		inject: func(r *run, _ *node) { r.postgres.Kill(r.t) },
		heal:   func(r *run, _ *node) { r.postgres.Start(r.t) },
	},
	{
		name: "Redis emptied", store: true,
		inject: func(r *run, _ *node) { r.empty() },
		heal:   func(*run, *node) {},
	},
	{
		name: "Redis killed", shortest: 500 * time.Millisecond, longest: 4 * time.Second, store: true,
		inject: func(r *run, _ *node) { r.redis.Kill(r.t) },
		heal:   func(r *run, _ *node) { r.redis.Start(r.t) },
	},
	{
		name: "cut from Redis", shortest: 7 * time.Second, longest: 11 * time.Second, unseats: true, mayEnd: true,
		inject: func(_ *run, n *node) { n.redis.Cut() },
		heal:   func(_ *run, n *node) { n.redis.Join() },
	},
	{
		name: "reset by Redis", shortest: 4 * time.Second, longest: 10 * time.Second, unseats: true, mayEnd: true,
		inject: func(_ *run, n *node) { n.redis.Refuse() },
		heal:   func(_ *run, n *node) { n.redis.Join() },
	},
	{
		name: "cut from Postgres", shortest: 3 * time.Second, longest: 9 * time.Second,
		inject: func(_ *run, n *node) { n.postgres.Cut() },
		heal:   func(_ *run, n *node) { n.postgres.Join() },
	},
	{
		name: "reset by Postgres", shortest: 2 * time.Second, longest: 8 * time.Second,
		inject: func(_ *run, n *node) { n.postgres.Refuse() },
		heal:   func(_ *run, n *node) { n.postgres.Join() },
	},
	{
		name: "not reached by peers", shortest: 4 * time.Second, longest: 9 * time.Second, mayEnd: true,
		inject: func(_ *run, n *node) { n.peers.Cut() },
		heal:   func(_ *run, n *node) { n.peers.Join() },
	},
	{
		name: "peers cut from each other", shortest: 4 * time.Second, longest: 9 * time.Second, mayEnd: true, store: true,
		inject: func(r *run, _ *node) {
			for _, n := range r.nodes {
				n.mayEnd = true
				n.peers.Cut()
			}
		},
		heal: func(r *run, _ *node) {
			for _, n := range r.nodes {
				n.peers.Join()
			}
		},
	},
	{
		name: "paused", shortest: 8 * time.Second, longest: 11 * time.Second, unseats: true, mayEnd: true,
		inject: func(_ *run, n *node) { n.Signal(syscall.SIGSTOP) },
		heal:   func(_ *run, n *node) { n.Signal(syscall.SIGCONT) },
	},
	{
		name: "killed", shortest: 500 * time.Millisecond, longest: 8 * time.Second, unseats: true,
		inject: func(_ *run, n *node) { n.end(syscall.SIGKILL) },
		heal:   func(_ *run, n *node) { n.start() },
	},
	{
		name: "stopped, one after the other", alone: true, store: true,
		inject: func(r *run, _ *node) { r.roll() },
		heal:   func(*run, *node) {},
	},
}

// round is a fault or two at once, and what comes after.
type round struct {
	faults  []*kind // in the order of kinds
	victims []int   // a node for each of them
	lasts   time.Duration
	gap     time.Duration
}

// schedule makes rounds of a seed: every kind comes up before any comes again, and every
// fourth round has two.
type schedule struct {
	random *rand.Rand
	deck   []int
	rounds int
}

func (s *schedule) draw() int {
	if len(s.deck) == 0 {
		s.deck = s.random.Perm(len(kinds))
	}
	drawn := s.deck[0]
	s.deck = s.deck[1:]
	return drawn
}

func (s *schedule) next() (r round) {
	s.rounds++
	first := s.draw()
	chosen := []int{first}
	if s.rounds%4 == 0 && !kinds[first].alone {
		if second := s.draw(); second != first && !kinds[second].alone {
			chosen = []int{min(first, second), max(first, second)}
		} else {
			s.deck = append(s.deck, second)
		}
	}
	victim := s.random.IntN(3)
	for i, k := range chosen {
		fault := kinds[k]
		r.faults = append(r.faults, fault)
		r.victims = append(r.victims, (victim+i)%3)
		lasts := fault.shortest
		if fault.longest > fault.shortest {
			lasts += time.Duration(s.random.Int64N(int64(fault.longest - fault.shortest)))
		}
		r.lasts = max(r.lasts, lasts)
	}
	r.gap = 3*time.Second + time.Duration(s.random.Int64N(int64(4*time.Second)))
	if s.rounds%5 == 0 {
		r.gap = recovery + 4*time.Second // nothing may fail in the end of it
	}
	return r
}

// fault is one that happened.
type fault struct {
	kind, victim string
	began, ended time.Duration
	single       bool
	lost         []booking.TrainID // trains whose owner it hit, if it unseats
}

// suffer lets a round happen.
func (r *run) suffer(round round) {
	r.t.Helper()
	var faults []*fault
	if !round.faults[0].store && len(round.faults) == 1 { // whoever owns nothing has nothing to lose
		for turn := 0; turn < len(r.nodes) && len(r.ownedBy(r.nodes[round.victims[0]])) == 0; turn++ {
			round.victims[0] = (round.victims[0] + 1) % len(r.nodes)
		}
	}
	for i, k := range round.faults {
		n := r.nodes[round.victims[i]]
		f := &fault{kind: k.name, single: len(round.faults) == 1}
		if !k.store {
			f.victim = n.name
			n.mayEnd = n.mayEnd || k.mayEnd
		}
		if k.unseats {
			f.lost = r.ownedBy(n)
		}
		f.began = r.now()
		faults = append(faults, f)
		k.inject(r, n)
	}
	<-time.After(round.lasts)
	for i, k := range round.faults {
		k.heal(r, r.nodes[round.victims[i]])
	}
	healed := r.now()
	for i, f := range faults {
		f.ended = healed
		at := f.victim
		if round.faults[i].unseats {
			at += fmt.Sprintf(", the owner of %d trains,", len(f.lost))
		}
		r.t.Logf("%7.1fs %s %s for %.1fs", f.began.Seconds(), f.kind, at, (f.ended - f.began).Seconds())
		r.faults = append(r.faults, *f)
	}
	r.tend(round.gap)
}

// ownedBy returns the trains that a process owns.
func (r *run) ownedBy(n *node) (its []booking.TrainID) {
	for _, train := range r.trains() {
		if r.owner(train) == n {
			its = append(its, train)
		}
	}
	return its
}

// tend waits, and starts processes again that ended.
func (r *run) tend(gap time.Duration) {
	r.t.Helper()
	for _, n := range r.nodes {
		n.awaitReady()
	}
	for end := time.Now().Add(gap); time.Now().Before(end); <-time.After(pollTime) {
		for _, n := range r.nodes {
			if n.hasEnded() {
				n.revive()
				n.awaitReady()
			}
		}
	}
	for _, n := range r.nodes {
		n.mayEnd = false
	}
}

// empty takes Redis's data away.
func (r *run) empty() {
	r.t.Helper()
	from := r.now()
	_, err := processtest.AskRedis(r.redis.Address, "FLUSHALL")
	require.NoError(r.t, err)
	r.lose(from, r.now())
}

// roll stops and starts one process after the other, as an upgrade does.
func (r *run) roll() {
	r.t.Helper()
	for _, n := range r.nodes {
		code := n.end(syscall.SIGTERM)
		require.Zero(r.t, code, "the exit code of %s after SIGTERM", n.name)
		n.start()
		n.awaitReady()
	}
}
