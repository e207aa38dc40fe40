package booking

import (
	"fmt"
	"math/bits"
)

// MaxLegs is the number of legs of the longest train, one fewer than MaxStops.
const MaxLegs = 63

// Legs is a set of legs of one train. Bit i is the leg from stop i to stop i+1. There are
// at most 63 legs, so a set fits a signed 64-bit column.
type Legs uint64

// Segment returns the legs between the stop positions i and j: the bits [i, j). It is empty
// unless 0 <= i < j <= MaxLegs.
func Segment(i, j int) Legs {
	if i < 0 || j <= i || j > MaxLegs {
		return 0
	}
	return Legs(1)<<j - Legs(1)<<i
}

// Overlaps reports whether the two sets share a leg.
func (l Legs) Overlaps(m Legs) bool { return l&m != 0 }

// Contains reports whether every leg of m is in l.
func (l Legs) Contains(m Legs) bool { return l&m == m }

// Count returns the number of legs.
func (l Legs) Count() int { return bits.OnesCount64(uint64(l)) }

// Bounds returns the stop positions [i, j) that enclose l; 0, 0 for the empty set.
func (l Legs) Bounds() (i, j int) {
	if l == 0 {
		return 0, 0
	}
	return bits.TrailingZeros64(uint64(l)), bits.Len64(uint64(l))
}

// IsSegment reports whether l is one or more consecutive legs.
func (l Legs) IsSegment() bool { return l != 0 && l == Segment(l.Bounds()) }

func (l Legs) String() string {
	i, j := l.Bounds()
	if l.IsSegment() {
		return fmt.Sprintf("[%d,%d)", i, j)
	}
	return fmt.Sprintf("legs(%b)", uint64(l))
}
