package simulate

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest/memory"
)

const (
	// Faults occur during faultTime. Then the service has healTime to recover
	// (RELIABILITY.md I7), and the run continues for calmTime.
	faultTime = 40 * time.Second
	healTime  = 15 * time.Second
	calmTime  = 5 * time.Second
	nodeCount = 3
	userCount = 4
)

// startTime is the true time at the start of a run.
var startTime = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

// Options determine a run.
type Options struct {
	Seed     uint64
	Mutation Mutation
	Log      bool // record a log
}

// Result is the result of a run.
type Result struct {
	Broken   string // the promise that was broken and how; "" if none
	Log      []string
	Coverage Coverage
}

// Run executes a run, which is the same for the same options.
func Run(o Options) (r Result) {
	w := newWorld(o)
	defer func() {
		switch p := recover().(type) {
		case nil:
		case brokenError:
			r = Result{Broken: p.Error(), Log: w.log, Coverage: w.coverage}
		default:
			r = Result{Broken: fmt.Sprintf("a panic: %v\n%s", p, debug.Stack()), Log: w.log, Coverage: w.coverage}
		}
	}()
	for len(w.events) > 0 && w.events[0].at < faultTime+healTime+calmTime {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		w.coverage["steps"]++
		e.do()
	}
	w.ledger.checkStore()
	return Result{Log: w.log, Coverage: w.coverage}
}

// world is the state of a run.
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

	train     booking.Train
	rules     booking.HoldRules
	nodes     []*node
	users     []*user
	ledger    *ledger
	skew      time.Duration // the largest difference of two wall clocks so far
	ahead     time.Duration // the largest lead of a wall clock over true time so far
	tolerance time.Duration // how much before its ExpiresAt a hold may end because of both
	lossRate  float64       // of calls that a fault affects

	coverage Coverage
	logging  bool
	log      []string
}

func newWorld(o Options) *world {
	w := &world{
		rng:      rand.New(rand.NewPCG(o.Seed, 1)), //nolint:gosec // not a secret
		mutation: o.Mutation, coverage: Coverage{"seeds": 1}, logging: o.Log,
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
		u.scheduleNext()
	}
	w.planFaults()
	return w
}

// time returns the true time.
func (w *world) time() time.Time { return startTime.Add(w.now) }

// after schedules do.
func (w *world) after(d time.Duration, do func()) {
	w.steps++
	heap.Push(&w.events, event{at: w.now + d, order: w.steps, do: do})
}

func (w *world) chance(p float64) bool { return w.rng.Float64() < p }

// between returns a random duration, usually near the shortest.
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

func (w *world) logf(format string, args ...any) {
	if w.logging {
		w.log = append(w.log, fmt.Sprintf("%9.3f ", w.now.Seconds())+fmt.Sprintf(format, args...))
	}
}

// pick returns one of the choices.
func pick[T any](w *world, choices ...T) T { return choices[w.rng.IntN(len(choices))] }

// event is a scheduled step.
type event struct {
	at    time.Duration
	order uint64 // of events at the same time
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
