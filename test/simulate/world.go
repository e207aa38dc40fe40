package simulate

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest/memory"
)

const (
	// faultTime is for how long there are faults, healTime what the service has to come to
	// itself (RELIABILITY.md I7), and calmTime for how long it is watched after that.
	faultTime = 40 * time.Second
	healTime  = 15 * time.Second
	calmTime  = 5 * time.Second
	nodeCount = 3
	userCount = 4
)

// dawn is true time zero.
var dawn = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

// Options are what a run follows from.
type Options struct {
	Seed     uint64
	Mutation Mutation
	Trace    bool // keep what happened
}

// Result is what became of a run.
type Result struct {
	Broken   string // the promise that was broken and how; "" if none
	Trace    []string
	Coverage Coverage
}

// Run plays one history, the same for the same options.
func Run(o Options) (r Result) {
	w := newWorld(o)
	defer func() {
		if broken, ok := recover().(brokenError); ok {
			r = Result{Broken: broken.Error(), Trace: w.trace, Coverage: w.coverage}
		}
	}()
	for len(w.events) > 0 && w.events[0].at < faultTime+healTime+calmTime {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		w.coverage["steps"]++
		e.do()
	}
	w.ledger.close()
	return Result{Trace: w.trace, Coverage: w.coverage}
}

// world is everything there is in one run.
type world struct {
	rng      *rand.Rand
	mutation Mutation
	now      time.Duration // true time
	events   events
	steps    uint64

	store    *memory.Store
	shared   *memory.Shared
	postgres *server
	redis    *server
	token    tokens

	train    booking.Train
	rules    booking.HoldRules
	nodes    []*node
	users    []*user
	ledger   *ledger
	spread   time.Duration // by how much wall clocks have been apart at most
	ahead    time.Duration // and one of them ahead of true time
	blur     time.Duration // how much earlier than it was told a hold may end by that
	lossRate float64       // of calls that something happens to

	coverage Coverage
	tracing  bool
	trace    []string
}

func newWorld(o Options) *world {
	w := &world{
		rng:      rand.New(rand.NewPCG(o.Seed, 1)), //nolint:gosec // a history, not a secret
		mutation: o.Mutation, coverage: Coverage{"seeds": 1}, tracing: o.Trace,
		store: memory.NewStore(),
	}
	w.shared = memory.NewShared(w.time)
	w.postgres = &server{name: "Postgres", timeout: 5 * time.Second}
	w.redis = &server{name: "Redis", timeout: 500 * time.Millisecond}
	w.rules = booking.HoldRules{TTL: pick[time.Duration](w, 3, 8, 30) * time.Second, MaxSeats: 3}
	w.lossRate = pick(w, 0, 0.02, 0.1)
	w.train = booking.Train{ID: booking.DerivedTrainID("simulated"), Name: "Simulated", Capacity: 4, OnSale: true}
	for _, station := range []string{"A", "B", "C", "D"} {
		w.train.Stops = append(w.train.Stops, booking.Stop{Station: station})
	}
	if err := w.store.CreateTrain(background, w.train); err != nil {
		panic(err)
	}
	w.ledger = newLedger(w)
	for i := range nodeCount {
		w.nodes = append(w.nodes, newNode(w, fmt.Sprintf("node%d:1", i+1)))
	}
	for i := range userCount {
		u := &user{world: w, id: w.uuid(), name: fmt.Sprintf("user%d", i+1)}
		w.users = append(w.users, u)
		u.goOn()
	}
	w.plan()
	return w
}

// time is true time as a clock shows it.
func (w *world) time() time.Time { return dawn.Add(w.now) }

// after does something at a later time.
func (w *world) after(d time.Duration, do func()) {
	w.steps++
	heap.Push(&w.events, event{at: w.now + d, order: w.steps, do: do})
}

func (w *world) chance(p float64) bool { return w.rng.Float64() < p }

// between is a random time, most often near the shorter end.
func (w *world) between(shortest, longest time.Duration) time.Duration {
	f := w.rng.Float64()
	return shortest + time.Duration(f*f*float64(longest-shortest))
}

func (w *world) uuid() (id uuid.UUID) {
	for i := range id {
		id[i] = byte(w.rng.UintN(256)) //nolint:gosec // below 256
	}
	return id
}

func (w *world) say(format string, args ...any) {
	if w.tracing {
		w.trace = append(w.trace, fmt.Sprintf("%9.3f ", w.now.Seconds())+fmt.Sprintf(format, args...))
	}
}

// pick returns one of the choices.
func pick[T any](w *world, choices ...T) T { return choices[w.rng.IntN(len(choices))] }

// event is a step that will be taken.
type event struct {
	at    time.Duration
	order uint64 // of those of one time
	do    func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	if e[i].at != e[j].at {
		return e[i].at < e[j].at
	}
	return e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	item := (*e)[last]
	(*e)[last] = event{}
	*e = (*e)[:last]
	return item
}
