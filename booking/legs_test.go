package booking_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

func TestSegmentIsHalfOpen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		i, j int
		legs booking.Legs
		text string
	}{
		{0, 1, 0b1, "[0,1)"},
		{1, 3, 0b110, "[1,3)"},
		{0, booking.MaxLegs, 1<<63 - 1, "[0,63)"},
		{62, 63, 1 << 62, "[62,63)"},
		{0, 0, 0, "legs(0)"},
		{3, 1, 0, "legs(0)"},
		{-1, 1, 0, "legs(0)"},
		{0, 64, 0, "legs(0)"},
	} {
		legs := booking.Segment(c.i, c.j)
		require.Equal(t, c.legs, legs, "Segment(%d, %d)", c.i, c.j)
		require.Equal(t, c.text, legs.String())
		require.Equal(t, legs != 0, legs.IsSegment())
	}
	broken := booking.Segment(0, 1) | booking.Segment(2, 3)
	require.False(t, broken.IsSegment())
	require.Equal(t, "legs(101)", broken.String())
}

// FuzzLegs compares the bit set with a []bool.
func FuzzLegs(f *testing.F) {
	f.Add(0, 1, 1, 2)
	f.Add(0, 63, 62, 63)
	f.Add(3, 1, -1, 64)
	f.Fuzz(func(t *testing.T, i, j, k, l int) {
		one, other := booking.Segment(i, j), booking.Segment(k, l)
		oneSet, otherSet := naive(i, j), naive(k, l)
		requireNaive(t, oneSet, one)
		both, either, without := make([]bool, len(oneSet)), make([]bool, len(oneSet)), make([]bool, len(oneSet))
		for leg := range oneSet {
			both[leg] = oneSet[leg] && otherSet[leg]
			either[leg] = oneSet[leg] || otherSet[leg]
			without[leg] = oneSet[leg] && !otherSet[leg]
		}
		require.Equal(t, slices.Contains(both, true), one.Overlaps(other))
		require.Equal(t, slices.Equal(both, otherSet), one.Contains(other))
		requireNaive(t, both, one&other)
		requireNaive(t, either, one|other)
		requireNaive(t, without, one&^other)
	})
}

// naive is Segment as a list with one element for each leg.
func naive(i, j int) []bool {
	set := make([]bool, booking.MaxLegs)
	if i < 0 || j > booking.MaxLegs {
		return set
	}
	for leg := i; leg < j; leg++ {
		set[leg] = true
	}
	return set
}

func requireNaive(t *testing.T, set []bool, legs booking.Legs) {
	t.Helper()
	first, last, count := slices.Index(set, true), len(set), 0
	for leg, in := range set {
		if in {
			last = leg + 1
			count++
		}
		require.Equal(t, in, legs.Contains(1<<leg), "leg %d", leg)
	}
	require.Equal(t, count, legs.Count())
	i, j := legs.Bounds()
	if count == 0 {
		require.Equal(t, [2]int{0, 0}, [2]int{i, j})
	} else {
		require.Equal(t, [2]int{first, last}, [2]int{i, j})
	}
	require.Equal(t, count > 0 && count == last-first, legs.IsSegment())
}
