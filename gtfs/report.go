package gtfs

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Reason is why something of a feed is not sold, as a part of a sentence.
type Reason string

// Why trips are skipped.
const (
	OneStop      Reason = "has fewer than two stops at which anybody may board or leave"
	Repeated     Reason = "calls at a station twice"
	TooManyStops Reason = "calls at more stations than a train can have"
	UnknownStop  Reason = "calls at a stop that is not in stops.txt"
	UnknownRoute Reason = "is on a route that is not in routes.txt"
	TripTwice    Reason = "is in trips.txt twice"
	NoTimes      Reason = "has no time at its first or last stop"
	Backwards    Reason = "has times that go backwards"
	BadTime      Reason = "has a time that is none"
	NoDates      Reason = "runs on no date"
	Ended        Reason = "ran before today for the last time"
	TooIrregular Reason = "has a calendar with too many exceptions"
	NoCapacity   Reason = "has no capacity in the file of capacities"
	Refused      Reason = "is refused" // and why
)

// Why stops of trips are left out.
const (
	NoBoarding Reason = "nobody may board there"
	NoLeaving  Reason = "nobody may leave there"
	NoCalling  Reason = "nobody may board or leave there"
)

// What is wrong with rows.
const (
	noID        Reason = "a row without an id, or with one that is too long"
	idTwice     Reason = "an id for the second time"
	badDate     Reason = "a date or weekday that is none"
	unknownTrip Reason = "a trip that is not in trips.txt"
	badSequence Reason = "a stop_sequence that is none"
	badInterval Reason = "times or a headway that are none"
)

// maxExamples is how many examples are kept for a reason.
const maxExamples = 3

// Count is how often something happened for a reason, with the first examples, such as the ids of trips.
type Count struct {
	Reason   Reason
	Count    int
	Examples []string
}

// Counts are counts by reason.
type Counts map[Reason]*Count

func (c Counts) add(reason Reason, n int, example string) {
	count := c[reason]
	if count == nil {
		count = &Count{Reason: reason}
		c[reason] = count
	}
	count.Count += n
	if len(count.Examples) < maxExamples && example != "" {
		count.Examples = append(count.Examples, strings.Clone(example))
	}
}

// Total returns the sum.
func (c Counts) Total() (sum int) {
	for _, count := range c {
		sum += count.Count
	}
	return sum
}

// Sorted returns the counts, the largest first.
func (c Counts) Sorted() []*Count {
	return slices.SortedFunc(maps.Values(c), func(a, b *Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
}

// Report is what became of a feed.
type Report struct {
	Trips    int    // that the filter selects
	Sold     int    // trips that are in trains
	Trains   int    // fewer than Sold, since trips are put together, or more with frequencies
	Excluded int    // trips that the filter leaves out
	Skipped  Counts // trips
	LeftOut  Counts // stops of trips that are sold
	Rows     Counts // rows of files that were wrong
}

// skip counts a trip, unless the filter leaves it out.
func (r *Report) skip(t *trip, reason Reason) {
	if t.selected {
		r.Skipped.add(reason, 1, t.id)
	}
}
