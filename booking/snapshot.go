package booking

import (
	"sync"
	"sync/atomic"
	"time"
)

// maxCachedLists limits the encoded seat lists that a snapshot caches. Passengers ask for a
// few segments of a train; all 2,016 segments of the longest train at full capacity would
// take 240 MB. The lists of further segments are encoded where they are read, without memory of
// their own.
const maxCachedLists = 32

// Snapshot is the state of a train at one moment. It is immutable and safe for concurrent
// use, and caches the seat lists that it encodes.
type Snapshot struct {
	Train *Train
	seats seatTable

	segments sync.Map // Legs → *segmentState
	cached   atomic.Int32
}

// segmentState is what was asked for of a segment.
type segmentState struct {
	count, encode sync.Once
	tally         Tally
	list          []byte
}

// NewSnapshot returns the state of a train that is stored: the legs on which each seat is booked,
// and its holds, of which those count that have not ended at now and are not of a deleted train
// with its id. A leg that is booked is not held.
func NewSnapshot(train *Train, booked map[int]Legs, holds []Hold, now time.Time) *Snapshot {
	s := &Snapshot{Train: train, seats: newSeatTable(train.Capacity)}
	for n, legs := range booked {
		if s.seats.has(n) {
			s.seats.change(n).booked = legs
		}
	}
	for _, h := range holds {
		if !h.ExpiresAt.After(now) || h.Released || !h.BelongsTo(train) {
			continue
		}
		for _, n := range h.Seats {
			if s.seats.has(n) {
				seat := s.seats.change(n)
				seat.held |= h.Legs &^ seat.booked
			}
		}
	}
	return s
}

// Sequence returns how many snapshots the seat map has made, this one included; 0 if NewSnapshot made it.
func (s *Snapshot) Sequence() int64 { return int64(s.seats.snapshot) }

// Tally counts the seats on the segment.
func (s *Snapshot) Tally(segment Legs) Tally {
	state, _ := s.segment(segment)
	state.count.Do(func() { state.tally = s.seats.tally(segment) })
	return state.tally
}

// Availability returns the tally of the segment, without a seat list.
func (s *Snapshot) Availability(segment Legs) Availability {
	return Availability{Train: s.Train, Segment: segment, Tally: s.Tally(segment)}
}

// Sellable reports whether a passenger can book the segment at now: the train sells and has not left.
func (s *Snapshot) Sellable(segment Legs, now time.Time) bool {
	return s.Train.Sells(now) && !s.Train.Departed(segment, now)
}

// Seats returns the state of every seat on the segment, in order of number.
func (s *Snapshot) Seats(segment Legs) []Seat {
	seats := make([]Seat, 0, s.seats.capacity)
	for n, seat := range s.seats.all() {
		seats = append(seats, Seat{Number: n, State: seat.on(segment)})
	}
	return seats
}

// SeatList returns the seats available on the segment. Its text is encoded once, unless the cache is full.
func (s *Snapshot) SeatList(segment Legs) SeatList {
	list := SeatList{snapshot: s, segment: segment}
	state, cached := s.segment(segment)
	if !cached {
		return list
	}
	state.encode.Do(func() { state.list = list.AppendTo(make([]byte, 0, s.seats.maxText(s.Tally(segment).Available))) })
	return EncodedSeatList(state.list)
}

// segment returns the cached state of a segment, or a new one that is not cached if the cache is full.
func (s *Snapshot) segment(segment Legs) (state *segmentState, cached bool) {
	if state, ok := s.segments.Load(segment); ok {
		return state.(*segmentState), true
	}
	// Reserve the place first: many readers may get here at once.
	if s.cached.Add(1) > maxCachedLists {
		s.cached.Add(-1)
		return &segmentState{}, false
	}
	stored, ok := s.segments.LoadOrStore(segment, &segmentState{})
	if ok {
		s.cached.Add(-1)
	}
	return stored.(*segmentState), true
}
