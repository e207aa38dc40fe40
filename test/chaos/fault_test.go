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
	slowDelay = 2 * time.Second // of what is sent to Postgres
	// clocksMove reports whether the clock of Redis can be changed here.
	clocksMove = runtime.GOOS == "linux"
)

// kind is a kind of fault.
type kind struct {
	name              string
	shortest, longest time.Duration // it lasts for a random time between these
	// inject begins the fault, and heal ends it. The node is the victim.
	inject, heal func(*run, *node)
	losesTrains  bool // the victim loses its trains
	mayExit      bool // the peers of the victim may evict it, so that it exits
	alone        bool // never at the same time as another fault
	calm         bool // it begins when no request may fail because of an earlier fault
	global       bool // without a victim
	// server is a store that the fault affects. Two faults at once do not affect the same.
	server string
	// refuses: some requests during the fault must fail with not_executed. definite: no
	// request during the fault may have an unknown outcome.
	refuses, definite bool
	// harmless: no request may fail because of it.
	harmless bool
}

// kinds are all kinds of faults. Two faults at once begin and end in this order: stores are
// restarted before the processes, which need them, and Redis is flushed before it is killed.
var kinds = []*kind{
	{
		name: "Postgres killed", shortest: 500 * time.Millisecond, longest: 3 * time.Second, global: true, server: "Postgres",
		inject: func(r *run, _ *node) { r.postgres.Kill(r.t) },
		heal:   func(r *run, _ *node) { r.postgres.Start(r.t) },
	},
	{
		name: "Postgres stopped fast", shortest: 500 * time.Millisecond, longest: 3 * time.Second, global: true, server: "Postgres",
		inject: func(r *run, _ *node) { r.postgres.Halt(r.t, "INT") },
		heal:   func(r *run, _ *node) { r.postgres.Start(r.t) },
	},
	{
		name: "Postgres stopped immediately", shortest: 500 * time.Millisecond, longest: 3 * time.Second, global: true, server: "Postgres",
		inject: func(r *run, _ *node) { r.postgres.Halt(r.t, "QUIT") },
		heal:   func(r *run, _ *node) { r.postgres.Start(r.t) },
	},
	{
		name: "Postgres out of connections", shortest: 3 * time.Second, longest: 8 * time.Second, global: true, server: "Postgres", refuses: true,
		inject: func(r *run, _ *node) { r.exhaustion = exhaustConnections(r.t, r.postgresSocket) },
		heal:   func(r *run, _ *node) { r.exhaustion.end() },
	},
	{
		name: "Postgres slow", shortest: 4 * time.Second, longest: 9 * time.Second, global: true, server: "Postgres", refuses: true,
		inject: func(r *run, _ *node) { r.slowPostgres() },
		heal:   func(r *run, _ *node) { r.restorePostgres() },
	},
	{ // leases are lost while sales are in flight
		name: "Redis emptied while Postgres is slow", shortest: 4 * time.Second, longest: 6 * time.Second, global: true, server: "Postgres",
		inject: func(r *run, _ *node) {
			r.slowPostgres()
			r.flushRedis()
		},
		heal: func(r *run, _ *node) { r.restorePostgres() },
	},
	{
		name: "Redis emptied", global: true,
		inject: func(r *run, _ *node) { r.flushRedis() },
		heal:   func(*run, *node) {},
	},
	{
		name: "Redis out of memory", shortest: 3 * time.Second, longest: 8 * time.Second, global: true, server: "Redis", refuses: true, definite: true,
		inject: func(r *run, _ *node) { r.sendRedis("CONFIG SET maxmemory 1") },
		heal:   func(r *run, _ *node) { r.sendRedis("CONFIG SET maxmemory 0") },
	},
	{
		name: "clock of Redis a minute ahead", global: true,
		inject: func(r *run, _ *node) { r.moveClock(time.Minute) },
		heal:   func(*run, *node) {},
	},
	{
		name: "clock of Redis an hour back", global: true,
		inject: func(r *run, _ *node) { r.moveClock(-time.Hour) },
		heal:   func(*run, *node) {},
	},
	{
		name: "Redis killed", shortest: 500 * time.Millisecond, longest: 4 * time.Second, global: true, server: "Redis",
		inject: func(r *run, _ *node) { r.redis.Kill(r.t) },
		heal:   func(r *run, _ *node) { r.redis.Start(r.t) },
	},
	{
		name: "Redis lost its last writes", shortest: 500 * time.Millisecond, longest: 4 * time.Second, global: true, server: "Redis",
		inject: func(r *run, _ *node) { r.redis.Copy(r.t) },
		heal:   func(r *run, _ *node) { r.restoreRedis() },
	},
	{
		name: "cut from Redis", shortest: 7 * time.Second, longest: 11 * time.Second, losesTrains: true, mayExit: true,
		inject: func(_ *run, n *node) { n.redis.Cut() },
		heal:   func(_ *run, n *node) { n.redis.Restore() },
	},
	{
		name: "reset by Redis", shortest: 4 * time.Second, longest: 10 * time.Second, losesTrains: true, mayExit: true,
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
		name: "not reached by peers", shortest: 4 * time.Second, longest: 9 * time.Second, mayExit: true,
		inject: func(_ *run, n *node) { n.peers.Cut() },
		heal:   func(_ *run, n *node) { n.peers.Restore() },
	},
	{
		name: "link silent", shortest: 2 * time.Second, longest: 4 * time.Second,
		inject: func(_ *run, n *node) { n.peers.Silence() },
		heal:   func(_ *run, n *node) { n.peers.Restore() },
	},
	{
		// Requests in it time out.
		name: "link silent for long", shortest: 6 * time.Second, longest: 8 * time.Second,
		inject: func(_ *run, n *node) { n.peers.Silence() },
		heal:   func(_ *run, n *node) { n.peers.Restore() },
	},
	{
		name: "peers cut from each other", shortest: 4 * time.Second, longest: 9 * time.Second, mayExit: true, global: true,
		inject: func(r *run, _ *node) {
			for _, n := range r.nodes {
				n.mayExit = true
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
		name: "paused", shortest: 8 * time.Second, longest: 11 * time.Second, losesTrains: true, mayExit: true,
		inject: func(_ *run, n *node) { n.Signal(syscall.SIGSTOP) },
		heal:   func(_ *run, n *node) { n.Signal(syscall.SIGCONT) },
	},
	{
		name: "killed", shortest: 500 * time.Millisecond, longest: 8 * time.Second, losesTrains: true,
		inject: func(_ *run, n *node) { n.stop(syscall.SIGKILL) },
		heal:   func(_ *run, n *node) { n.start() },
	},
	{
		name: "Postgres silent", shortest: 6 * time.Second, longest: 9 * time.Second, global: true, server: "Postgres",
		inject: func(r *run, _ *node) {
			for _, n := range r.nodes {
				n.postgres.Cut()
			}
		},
		heal: func(r *run, _ *node) { r.restorePostgres() },
	},
	{ // a replica takes over, at the same address
		name: "Redis failed over", shortest: 500 * time.Millisecond, longest: 3 * time.Second, global: true, server: "Redis",
		inject: func(r *run, _ *node) { r.killWithReplica() },
		heal:   func(r *run, _ *node) { r.promoteReplica() },
	},
	{
		name: "killed while heartbeats are lost", shortest: 10 * time.Second, longest: 14 * time.Second, losesTrains: true,
		inject: func(r *run, n *node) {
			n.stop(syscall.SIGKILL)
			r.loseHeartbeats(n)
		},
		heal: func(r *run, n *node) {
			r.disturbance.end()
			n.start()
		},
	},
	{
		name: "row of a train locked", shortest: 4 * time.Second, longest: 7 * time.Second, global: true, server: "Postgres",
		inject: func(r *run, _ *node) { r.lockRow() },
		heal:   func(r *run, _ *node) { r.disturbance.end() },
	},
	{
		name: "flood of reads", shortest: 4 * time.Second, longest: 7 * time.Second, alone: true, calm: true, global: true, harmless: true,
		inject: func(r *run, _ *node) { r.floodReads() },
		heal:   func(r *run, _ *node) { r.disturbance.end() },
	},
	{
		name: "seat sold by hand", alone: true, calm: true, global: true,
		inject: func(r *run, _ *node) { r.sellByHand() },
		heal:   func(r *run, _ *node) { r.undoSaleByHand() },
	},
	{
		name: "stopped, one after the other", alone: true, global: true,
		inject: func(r *run, _ *node) { r.rollingRestart() },
		heal:   func(*run, *node) {},
	},
}

// round is one fault, or two at once, and a time without faults after it.
type round struct {
	faults  []*kind       // in the order of kinds
	victims []int         // a node for each of them
	length  time.Duration // of the faults
	gap     time.Duration
}

// schedule makes rounds from the seed. Every kind occurs before any occurs again, and every
// fourth round has two.
type schedule struct {
	random *rand.Rand
	kinds  []int // indexes of those that occur
	queue  []int // those before the next shuffle
	rounds int
}

// newSchedule returns a schedule of the kinds that the flag names, or of all.
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
	require.True(t, len(names) == 0 || len(names) == len(s.kinds), "one of these is not a fault: %s", *only)
	return s
}

func (k *kind) compatibleWith(other *kind) bool {
	return !k.alone && !other.alone && (k.server == "" || k.server != other.server)
}

func (s *schedule) draw() int {
	if len(s.queue) == 0 {
		for _, i := range s.random.Perm(len(s.kinds)) {
			s.queue = append(s.queue, s.kinds[i])
		}
	}
	drawn := s.queue[0]
	s.queue = s.queue[1:]
	return drawn
}

func (s *schedule) next() (r round) {
	s.rounds++
	first := s.draw()
	chosen := []int{first}
	if s.rounds%4 == 0 && !kinds[first].alone {
		if second := s.draw(); second != first && kinds[first].compatibleWith(kinds[second]) {
			chosen = []int{min(first, second), max(first, second)}
		} else {
			s.queue = append(s.queue, second)
		}
	}
	victim := s.random.IntN(3)
	for i, k := range chosen {
		fault := kinds[k]
		r.faults = append(r.faults, fault)
		r.victims = append(r.victims, (victim+i)%3)
		length := fault.shortest
		if fault.longest > fault.shortest {
			length += time.Duration(s.random.Int64N(int64(fault.longest - fault.shortest)))
		}
		r.length = max(r.length, length)
	}
	r.gap = 3*time.Second + time.Duration(s.random.Int64N(int64(4*time.Second)))
	if s.rounds%5 == 0 {
		r.gap = recovery + 4*time.Second // after recovery, no request may fail
	}
	return r
}

// fault is a fault that was injected.
type fault struct {
	*kind
	victim       string
	began, ended time.Duration
	single       bool            // no other at the same time
	lost         []booking.Train // the trains of the victim, if it loses them
}

// runRound injects the faults of a round, ends them, and waits for the time after them.
func (r *run) runRound(round round) {
	r.t.Helper()
	var faults []*fault
	if round.faults[0].calm {
		r.supervise(recovery)
	}
	if !round.faults[0].global && len(round.faults) == 1 { // prefer a victim that owns trains
		for turn := 0; turn < len(r.nodes) && len(r.ownedBy(r.nodes[round.victims[0]])) == 0; turn++ {
			round.victims[0] = (round.victims[0] + 1) % len(r.nodes)
		}
	}
	for i, k := range round.faults {
		n := r.nodes[round.victims[i]]
		f := &fault{kind: k, single: len(round.faults) == 1}
		if !k.global {
			f.victim = n.name
			n.mayExit = n.mayExit || k.mayExit
		}
		if k.losesTrains {
			f.lost = r.ownedBy(n)
		}
		f.began = r.Now()
		faults = append(faults, f)
		k.inject(r, n)
	}
	<-time.After(round.length)
	for i, k := range round.faults {
		k.heal(r, r.nodes[round.victims[i]])
	}
	ended := r.Now()
	for i, f := range faults {
		f.ended = ended
		at := f.victim
		if round.faults[i].losesTrains {
			at += fmt.Sprintf(", the owner of %d trains,", len(f.lost))
		}
		r.t.Logf("%7.1fs %s %s for %.1fs", f.began.Seconds(), f.name, at, (f.ended - f.began).Seconds())
		r.faults = append(r.faults, *f)
	}
	r.supervise(round.gap)
}

// ownedBy returns the trains that a process owns.
func (r *run) ownedBy(n *node) (owned []booking.Train) {
	for _, train := range r.Trains() {
		if r.owner(train.ID) == n {
			owned = append(owned, train)
		}
	}
	return owned
}

// supervise waits until all processes are ready and then for the gap, and restarts processes
// that exit.
func (r *run) supervise(gap time.Duration) {
	r.t.Helper()
	for _, n := range r.nodes {
		n.awaitReady()
	}
	for end := time.Now().Add(gap); time.Now().Before(end); <-time.After(pollTime) {
		for _, n := range r.nodes {
			if n.hasExited() {
				n.restart()
				n.awaitReady()
			}
		}
	}
	for _, n := range r.nodes {
		n.mayExit = false
	}
}

func (r *run) slowPostgres() {
	for _, n := range r.nodes {
		n.postgres.Slow(slowDelay)
	}
}

func (r *run) restorePostgres() {
	for _, n := range r.nodes {
		n.postgres.Restore()
	}
}

// flushRedis deletes all data of Redis.
func (r *run) flushRedis() {
	r.t.Helper()
	from := r.Now()
	r.sendRedis("FLUSHALL")
	r.Lose(from)
}

// moveClock changes the clock of Redis. Holds and leases may end early, which counts as a loss
// of data (RELIABILITY.md 1).
func (r *run) moveClock(by time.Duration) {
	r.t.Helper()
	r.clock += by
	from := r.Now()
	r.redis.SetClock(r.t, r.clock)
	r.Lose(from)
}

// restoreRedis kills Redis and starts it with the data of the last copy.
func (r *run) restoreRedis() {
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

// rollingRestart restarts one process after the other, as an upgrade does.
func (r *run) rollingRestart() {
	r.t.Helper()
	for _, n := range r.nodes {
		code := n.stop(syscall.SIGTERM)
		require.Zero(r.t, code, "the exit code of %s after SIGTERM", n.name)
		n.start()
		n.awaitReady()
	}
}
