package smoke

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"trainbooking.dev/booking"
)

// Report is what passengers noticed.
type Report struct {
	Requests  int
	Bookings  int
	Cancelled int
	Failures  map[booking.Code]int // attempts, those that were answered later too
	// Longest is the longest time in which nobody got a booking, from the first turn to
	// the end of the last.
	Longest time.Duration
}

// Failed returns how many requests failed.
func (r Report) Failed() (n int) {
	for _, count := range r.Failures {
		n += count
	}
	return n
}

// Print writes the report for people.
func (r Report) Print(w io.Writer) error {
	var failures []string
	for _, code := range slices.Sorted(maps.Keys(r.Failures)) {
		failures = append(failures, fmt.Sprintf("%s %d", code, r.Failures[code]))
	}
	if failures == nil {
		failures = []string{"none"}
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "requests\t%d\n", r.Requests)
	fmt.Fprintf(table, "bookings\t%d\n", r.Bookings)
	fmt.Fprintf(table, "cancelled\t%d\n", r.Cancelled)
	fmt.Fprintf(table, "failures\t%s\n", strings.Join(failures, ", "))
	fmt.Fprintf(table, "longest without a booking\t%s\n", r.Longest.Round(time.Millisecond))
	return table.Flush()
}

// tally collects a Report. It is safe for concurrent use.
type tally struct {
	mu      sync.Mutex
	counted Report
	last    time.Time // when somebody got a booking
}

func newTally() *tally { return &tally{counted: Report{Failures: map[booking.Code]int{}}} }

func (t *tally) answered(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counted.Requests++
	if err != nil {
		t.counted.Failures[booking.CodeOf(err)]++
	}
}

func (t *tally) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = time.Now()
}

func (t *tally) booked() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counted.Bookings++
	t.gap()
}

func (t *tally) cancelled() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counted.Cancelled++
}

func (t *tally) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gap()
}

// gap notes how long the last booking was ago. The lock is held.
func (t *tally) gap() {
	now := time.Now()
	t.counted.Longest = max(t.counted.Longest, now.Sub(t.last))
	t.last = now
}

func (t *tally) report() Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	report := t.counted
	report.Failures = maps.Clone(report.Failures)
	return report
}
