//go:build chaos

package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/test/processtest"
)

const (
	slowness = 2 * time.Second // of Postgres
	// clocksMove reports whether Redis's can be moved here.
	clocksMove = runtime.GOOS == "linux"
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
	// server is the one that is away or must be there: none of the same is beside it.
	server string
	// refuses: something is answered with not_executed while it lasts. definite: nothing
	// that was asked while it lasts has another outcome that is a failure.
	refuses, definite bool
}

// kinds are the faults, in the order in which two of them begin and heal: whoever starts
// needs the stores, and Redis is emptied before it goes.
var kinds = []*kind{
	{
		name: "Postgres killed", shortest: 500 * time.Millisecond, longest: 3 * time.Second, store: true, server: "Postgres",
		inject: func(r *run, _ *node) { r.postgres.Kill(r.t) },
		heal:   func(r *run, _ *node) { r.postgres.Start(r.t) },
	},
	{
		name: "Postgres stopped fast", shortest: 500 * time.Millisecond, longest: 3 * time.Second, store: true, server: "Postgres",
		inject: func(r *run, _ *node) { r.postgres.Halt(r.t, "INT") },
		heal:   func(r *run, _ *node) { r.postgres.Start(r.t) },
	},
	{
		name: "Postgres stopped immediately", shortest: 500 * time.Millisecond, longest: 3 * time.Second, store: true, server: "Postgres",
		inject: func(r *run, _ *node) { r.postgres.Halt(r.t, "QUIT") },
		heal:   func(r *run, _ *node) { r.postgres.Start(r.t) },
	},
	{
		name: "Postgres out of connections", shortest: 3 * time.Second, longest: 8 * time.Second, store: true, server: "Postgres", refuses: true,
		inject: func(r *run, _ *node) { r.exhaustion = takeConnections(r.t, r.postgresSocket) },
		heal:   func(r *run, _ *node) { r.exhaustion.end() },
	},
	{
		name: "Postgres slow", shortest: 4 * time.Second, longest: 9 * time.Second, store: true, server: "Postgres", refuses: true,
		inject: func(r *run, _ *node) {
			for _, n := range r.nodes {
				n.postgres.Slow(slowness)
			}
		},
		heal: func(r *run, _ *node) {
			for _, n := range r.nodes {
				n.postgres.Restore()
			}
		},
	},
	{
		name: "Redis emptied", store: true,
		inject: func(r *run, _ *node) { r.empty() },
		heal:   func(*run, *node) {},
	},
	{
		name: "Redis out of memory", shortest: 3 * time.Second, longest: 8 * time.Second, store: true, server: "Redis", refuses: true, definite: true,
		inject: func(r *run, _ *node) { r.sendRedis("CONFIG SET maxmemory 1") },
		heal:   func(r *run, _ *node) { r.sendRedis("CONFIG SET maxmemory 0") },
	},
	{
		name: "clock of Redis a minute ahead", store: true,
		inject: func(r *run, _ *node) { r.moveClock(time.Minute) },
		heal:   func(*run, *node) {},
	},
	{
		name: "clock of Redis an hour back", store: true,
		inject: func(r *run, _ *node) { r.moveClock(-time.Hour) },
		heal:   func(*run, *node) {},
	},
	{
		name: "Redis killed", shortest: 500 * time.Millisecond, longest: 4 * time.Second, store: true, server: "Redis",
		inject: func(r *run, _ *node) { r.redis.Kill(r.t) },
		heal:   func(r *run, _ *node) { r.redis.Start(r.t) },
	},
	{
		name: "Redis lost its last writes", shortest: 500 * time.Millisecond, longest: 4 * time.Second, store: true, server: "Redis",
		inject: func(r *run, _ *node) { r.redis.Copy(r.t) },
		heal:   func(r *run, _ *node) { r.rewind() },
	},
	{
		name: "cut from Redis", shortest: 7 * time.Second, longest: 11 * time.Second, unseats: true, mayEnd: true,
		inject: func(_ *run, n *node) { n.redis.Cut() },
		heal:   func(_ *run, n *node) { n.redis.Restore() },
	},
	{
		name: "reset by Redis", shortest: 4 * time.Second, longest: 10 * time.Second, unseats: true, mayEnd: true,
		inject: func(_ *run, n *node) { n.redis.Refuse() },
		heal:   func(_ *run, n *node) { n.redis.Restore() },
	},
	{
		name: "cut from Postgres", shortest: 3 * time.Second, longest: 9 * time.Second,
		inject: func(_ *run, n *node) { n.postgres.Cut() },
		heal:   func(_ *run, n *node) { n.postgres.Restore() },
	},
	{
		name: "reset by Postgres", shortest: 2 * time.Second, longest: 8 * time.Second,
		inject: func(_ *run, n *node) { n.postgres.Refuse() },
		heal:   func(_ *run, n *node) { n.postgres.Restore() },
	},
	{
		name: "not reached by peers", shortest: 4 * time.Second, longest: 9 * time.Second, mayEnd: true,
		inject: func(_ *run, n *node) { n.peers.Cut() },
		heal:   func(_ *run, n *node) { n.peers.Restore() },
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
				n.peers.Restore()
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
	kinds  []int // those that happen
	deck   []int
	rounds int
}

// newSchedule makes one of the kinds that the flag names, or of all.
func newSchedule(t *testing.T) *schedule {
	t.Helper()
	s := &schedule{random: rand.New(rand.NewPCG(*seed, 0))}
	var names []string
	if *only != "" {
		names = strings.Split(strings.ReplaceAll(*only, "_", " "), ",")
	}
	for i, k := range kinds {
		switch {
		case slices.Contains(names, k.name):
		case len(names) > 0, strings.Contains(k.name, "clock") && !clocksMove:
			continue
		}
		s.kinds = append(s.kinds, i)
	}
	require.NotEmpty(t, s.kinds, "no such fault: %s", *only)
	require.True(t, len(names) == 0 || len(names) == len(s.kinds), "not all of these are faults: %s", *only)
	return s
}

func (k *kind) goesWith(other *kind) bool {
	return !k.alone && !other.alone && (k.server == "" || k.server != other.server)
}

func (s *schedule) draw() int {
	if len(s.deck) == 0 {
		for _, i := range s.random.Perm(len(s.kinds)) {
			s.deck = append(s.deck, s.kinds[i])
		}
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
		if second := s.draw(); second != first && kinds[first].goesWith(kinds[second]) {
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
	*kind
	victim       string
	began, ended time.Duration
	single       bool
	lost         []booking.Train // trains whose owner it hit, if it unseats
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
		f := &fault{kind: k, single: len(round.faults) == 1}
		if !k.store {
			f.victim = n.name
			n.mayEnd = n.mayEnd || k.mayEnd
		}
		if k.unseats {
			f.lost = r.ownedBy(n)
		}
		f.began = r.Now()
		faults = append(faults, f)
		k.inject(r, n)
	}
	<-time.After(round.lasts)
	for i, k := range round.faults {
		k.heal(r, r.nodes[round.victims[i]])
	}
	healed := r.Now()
	for i, f := range faults {
		f.ended = healed
		at := f.victim
		if round.faults[i].unseats {
			at += fmt.Sprintf(", the owner of %d trains,", len(f.lost))
		}
		r.t.Logf("%7.1fs %s %s for %.1fs", f.began.Seconds(), f.name, at, (f.ended - f.began).Seconds())
		r.faults = append(r.faults, *f)
	}
	r.tend(round.gap)
}

// ownedBy returns the trains that a process owns.
func (r *run) ownedBy(n *node) (its []booking.Train) {
	for _, train := range r.Trains() {
		if r.owner(train.ID) == n {
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
				n.restart()
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
	from := r.Now()
	r.sendRedis("FLUSHALL")
	r.Lose(from)
}

// moveClock moves Redis's clock. What ends by it ends early, and an owner whose lease has
// too much time left may lose it: that counts as a loss (RELIABILITY.md 1).
func (r *run) moveClock(by time.Duration) {
	r.t.Helper()
	r.clock += by
	from := r.Now()
	r.redis.SetClock(r.t, r.clock)
	r.Lose(from)
}

// rewind lets Redis come back with the data of the last copy.
func (r *run) rewind() {
	r.t.Helper()
	from := r.Now()
	r.redis.Kill(r.t)
	r.redis.Rewind(r.t)
	r.redis.Start(r.t)
	r.Lose(from)
}

func (r *run) sendRedis(command string) {
	r.t.Helper()
	_, err := processtest.RedisCommand(r.redis.Address, command)
	require.NoError(r.t, err)
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
