package importer

import (
	"fmt"
	"io"
	"strings"

	"trainbooking.dev/gtfs"
)

// PrintReport prints what became of the trips of a feed.
func PrintReport(w io.Writer, t *gtfs.Timetable) error {
	var b strings.Builder
	r := t.Report
	fmt.Fprintf(&b, "Feed %s, from %s on: %d of %s in %s.\n", t.Source, t.Today,
		r.Sold, number(r.Trips, "trip"), number(r.Trains, "schedule"))
	if r.Excluded > 0 {
		fmt.Fprintf(&b, "Not selected: %s.\n", number(r.Excluded, "trip"))
	}
	printCounts(&b, "Skipped", "trip", r.Skipped)
	printCounts(&b, "Left out of trips", "stop", r.LeftOut)
	printCounts(&b, "Wrong", "row", r.Rows)
	_, err := io.WriteString(w, b.String())
	return err
}

func printCounts(b *strings.Builder, what, thing string, counts gtfs.Counts) {
	if len(counts) == 0 {
		return
	}
	fmt.Fprintf(b, "%s: %s.\n", what, number(counts.Total(), thing))
	for _, c := range counts.Sorted() {
		fmt.Fprintf(b, "  %s: %d", c.Reason, c.Count)
		if len(c.Examples) > 0 {
			fmt.Fprintf(b, ", such as %s", strings.Join(c.Examples, ", "))
		}
		b.WriteString("\n")
	}
}

// number returns "1 trip" or "2 trips".
func number(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Print prints every change of a plan in a line.
func (p *Plan) Print(w io.Writer) error {
	var b strings.Builder
	for i := range p.Steps {
		switch s := &p.Steps[i]; s.Action {
		case Keep:
		case Create:
			fmt.Fprintf(&b, "create %s %s\n", s.ID, s.Name)
		case Change:
			fmt.Fprintf(&b, "change %s %s: %s\n", s.ID, s.Name, strings.Join(s.Why, ", "))
		case End:
			fmt.Fprintf(&b, "end    %s %s", s.ID, s.Name)
			if s.Booked > 0 {
				fmt.Fprintf(&b, ": %s with bookings stay", number(s.Booked, "departure"))
			}
			b.WriteString("\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// PrintSummary prints how many schedules are created, changed, unchanged and ended.
func (p *Plan) PrintSummary(w io.Writer, dryRun bool) error {
	would := ""
	if dryRun {
		would = " (nothing was changed: --dry-run)"
	}
	booked := 0
	for i := range p.Steps {
		booked += p.Steps[i].Booked
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Schedules: %d created, %d changed, %d unchanged, %d ended%s.\n",
		p.Count(Create), p.Count(Change), p.Count(Keep), p.Count(End), would)
	if booked > 0 {
		fmt.Fprintf(&b, "%s of these with bookings: they stay as trains that are not on sale.\n", number(booked, "departure"))
	}
	if p.Left > 0 {
		left := number(p.Left, "schedule")
		fmt.Fprintf(&b, "%s of earlier imports not in the feed: still on sale, --prune ends them.\n", left)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
