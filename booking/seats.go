package booking

import (
	"iter"
	"math/bits"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
)

// chunkSeats is the number of seats in a chunk, as many as the bits of a word.
const chunkSeats = 64

// seatLegs are the legs on which a seat is taken. A leg is never in both.
type seatLegs struct{ booked, held Legs }

func (s seatLegs) on(segment Legs) SeatState {
	switch {
	case s.booked.Overlaps(segment):
		return SeatBooked
	case s.held.Overlaps(segment):
		return SeatHeld
	}
	return SeatAvailable
}

// seatTable has the legs of every seat of a train, in chunks that it shares with its snapshots: a
// change copies one chunk, and a snapshot the table of chunks.
type seatTable struct {
	capacity int
	chunks   []*seatChunk // nil: all seats are free
	snapshot int          // counts the snapshots; chunks with an earlier number are shared
}

type seatChunk struct {
	seats    [chunkSeats]seatLegs // those above the capacity are free
	snapshot int
	// full has the legs on which every seat is taken, and knownFull; 0 if they have not been computed since the
	// last change.
	full atomic.Uint64
}

// knownFull is the bit that no leg has.
const knownFull = 1 << MaxLegs

func newSeatTable(capacity int) seatTable {
	return seatTable{capacity: capacity, chunks: make([]*seatChunk, (capacity+chunkSeats-1)/chunkSeats)}
}

func (t *seatTable) has(n int) bool { return 1 <= n && n <= t.capacity }

// at returns the legs of seat n.
func (t *seatTable) at(n int) seatLegs {
	if c := t.chunks[(n-1)/chunkSeats]; c != nil {
		return c.seats[(n-1)%chunkSeats]
	}
	return seatLegs{}
}

// change returns the legs of seat n to be changed at once.
func (t *seatTable) change(n int) *seatLegs {
	c := &t.chunks[(n-1)/chunkSeats]
	switch {
	case *c == nil:
		*c = &seatChunk{snapshot: t.snapshot}
	case (*c).snapshot != t.snapshot:
		*c = &seatChunk{seats: (*c).seats, snapshot: t.snapshot}
	default:
		(*c).full.Store(0)
	}
	return &(*c).seats[(n-1)%chunkSeats]
}

// share returns a table that never changes.
func (t *seatTable) share() seatTable {
	t.snapshot++
	return seatTable{capacity: t.capacity, chunks: slices.Clone(t.chunks), snapshot: t.snapshot}
}

// resized returns a table with another capacity. It has no chunks in common with t.
func (t *seatTable) resized(capacity int) seatTable {
	to := newSeatTable(capacity)
	to.snapshot = t.snapshot
	for n, s := range t.all() {
		if to.has(n) && s != (seatLegs{}) {
			*to.change(n) = s
		}
	}
	return to
}

// all returns the numbers and legs of all seats, in order of number.
func (t *seatTable) all() iter.Seq2[int, seatLegs] {
	return func(yield func(int, seatLegs) bool) {
		for n := 1; n <= t.capacity; n++ {
			if !yield(n, t.at(n)) {
				return
			}
		}
	}
}

// tally counts the seats on the segment.
func (t *seatTable) tally(segment Legs) (tally Tally) {
	for _, c := range t.chunks {
		if c != nil {
			booked, held := c.taken(segment)
			tally.Booked += bits.OnesCount64(booked)
			tally.Held += bits.OnesCount64(held)
		}
	}
	tally.Available = t.capacity - tally.Booked - tally.Held
	return tally
}

// freeRuns yields the first and the last seat of each run of free seats on the segment, in order. A run
// ends with its chunk.
func (t *seatTable) freeRuns(segment Legs) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		for i, c := range t.chunks {
			first := i * chunkSeats // the seats before the chunk
			free := ^uint64(0) >> max(0, first+chunkSeats-t.capacity)
			if c != nil {
				free = c.free(free, segment)
			}
			for free != 0 {
				from := bits.TrailingZeros64(free)
				to := from + bits.TrailingZeros64(^(free >> from))
				if !yield(first+from+1, first+to) {
					return
				}
				free &= ^uint64(0) << to // 0 if to is 64
			}
		}
	}
}

// maxText returns the most bytes that a list of n seats may have: a number has at most as many digits as the
// capacity, and a comma.
func (t *seatTable) maxText(n int) int {
	return n*(len(strconv.Itoa(t.capacity))+len(",")) + len("[]")
}

// appendFree appends the numbers of the seats that are free on the segment, each with a comma after
// it.
func (t *seatTable) appendFree(b []byte, segment Legs) []byte {
	numbers := seatNumbers()
	for from, to := range t.freeRuns(segment) {
		b = append(b, numbers.between(from-1, to)...)
	}
	return b
}

// free returns the seats that are free on the segment: bit i for the seat at i. seats must be all seats of the chunk.
// Whoever looks for a free seat in a full train visits every chunk, so a chunk that has none remembers it.
func (c *seatChunk) free(seats uint64, segment Legs) uint64 {
	full := c.full.Load()
	if full&uint64(segment) != 0 {
		return 0
	}
	booked, held := c.taken(segment)
	free := seats &^ (booked | held)
	if free == 0 && full == 0 {
		full = ^uint64(0)
		for i := range bits.Len64(seats) {
			full &= uint64(c.seats[i].booked | c.seats[i].held)
		}
		c.full.Store(full | knownFull)
	}
	return free
}

// taken returns the seats that are booked or else held on the segment: bit i for the seat at i.
func (c *seatChunk) taken(segment Legs) (booked, held uint64) {
	for i := range c.seats {
		booked |= bit(c.seats[i].booked.Overlaps(segment)) << i
		held |= bit(c.seats[i].held.Overlaps(segment)) << i
	}
	return booked, held &^ booked
}

// bit is compiled without a branch, which processors could not predict.
func bit(b bool) (n uint64) {
	if b {
		n = 1
	}
	return n
}

// numberText is the text "1,2,3," up to MaxCapacity.
type numberText struct {
	text []byte
	end  [MaxCapacity + 1]int32 // of each number in text, with its comma
}

// seatNumbers returns the text that seat lists are copied from: that is ten times as fast as
// formatting each number.
var seatNumbers = sync.OnceValue(func() *numberText {
	t := &numberText{}
	for n := 1; n <= MaxCapacity; n++ {
		t.text = append(strconv.AppendInt(t.text, int64(n), 10), ',')
		t.end[n] = int32(len(t.text))
	}
	return t
})

// between returns the numbers after from up to to.
func (t *numberText) between(from, to int) []byte { return t.text[t.end[from]:t.end[to]] }
