//go:build chaos

package chaos_test

import (
	"context"
	"net/http"
	"sync"
	"time"

	"trainbooking.dev/test/processtest"
)

const (
	readEvery = time.Second
	readTime  = time.Second // the timeout of a read
	// requiredMinutes is the length of a run from which every rare state is required.
	requiredMinutes = 10
)

// rareStates are states that the design has a rule for, and the counters of the processes that count
// them. A long run must reach each of them, else it does not test the rule. (Antithesis calls this
// a sometimes assertion.)
var rareStates = []struct{ name, counter string }{
	{"late request refused", "trainbooking_late_requests_total"},
	{"write fenced", event("fenced")},
	{"write with an unknown outcome", event("unknown")},
	{"lost request resolved", event("resolved")},
	{"decision contradicted by the store", event("conflict")},
	{"contradicted request refused", event("lasting_conflict")},
	{"takeover during a confirm", event("takeover_during_confirm")},
	{"lost hold stored again", event("hold_stored_again")},
	{"seats and bookings differ at a load", event("inconsistent")},
}

func event(name string) string { return `trainbooking_activation_events_total{event="` + name + `"}` }

// counters adds up the metrics of all processes. It reads them at intervals, because a process that is
// killed loses them. What it counted after the last read is missing.
type counters struct {
	client  http.Client
	running sync.WaitGroup

	mu   sync.Mutex
	last map[*processtest.Server]map[string]float64 // as last read
}

func newCounters() *counters {
	return &counters{client: http.Client{Timeout: readTime}, last: map[*processtest.Server]map[string]float64{}}
}

// watch reads the metrics of a process until it exits.
func (c *counters) watch(s *processtest.Server) {
	c.running.Go(func() {
		for {
			if values, err := processtest.ReadMetrics(context.Background(), &c.client, s.Metrics); err == nil { // else it has just exited, or it is paused
				c.mu.Lock()
				c.last[s] = values
				c.mu.Unlock()
			}
			select {
			case <-time.After(readEvery):
			case <-s.Exited():
				return
			}
		}
	})
}

// total returns the sum of a counter, 0 if no process has it.
func (c *counters) total(counter string) (sum int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, values := range c.last {
		sum += int(values[counter])
	}
	return sum
}

// countRareStates prints how often each rare state was reached. It fails the test if a long run with
// all kinds of faults never reached one.
func (r *run) countRareStates(line func(string, ...any)) {
	line("rare states:")
	for _, state := range rareStates {
		count := r.counters.total(state.counter)
		line("  %d × %s", count, state.name)
		if count == 0 && *only == "" && *minutes >= requiredMinutes {
			r.t.Errorf("never reached: %s (%s)", state.name, state.counter)
		}
	}
}
