package smoke

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/test/traffic/history"
)

// Report is the statistics of a run.
type Report struct {
	Requests  int
	Bookings  int
	Cancelled int
	Failures  map[booking.Code]int // of attempts, also if a repeated one succeeded
	// Longest is the longest time without a booking, between the begin of the first turn and
	// the end of the last.
	Longest time.Duration
}

// newReport returns the statistics of operations. The turns lasted [from, to).
func newReport(operations []history.Operation, from, to time.Duration) Report {
	r := Report{Requests: len(operations), Failures: map[booking.Code]int{}}
	last := from
	for i := range operations {
		o := &operations[i]
		switch {
		case o.Failed():
			r.Failures[o.Code]++
		case o.Kind == history.Cancel && o.Result == history.Done:
			r.Cancelled++
		case history.IsBooking(o):
			r.Bookings++
			r.Longest, last = max(r.Longest, o.Return-last), o.Return
		}
	}
	r.Longest = max(r.Longest, to-last)
	return r
}

// Failed returns the number of failed attempts.
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
