package booking

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// maxCachedLists limits the encoded seat lists that a snapshot caches. Passengers ask for a
// few segments of a train; all 2,016 segments of the longest train at full capacity would
// take 240 MB.
const maxCachedLists = 32

// Snapshot is the state of a train at one moment. It is immutable and safe for concurrent
// use, and caches the seat lists that it encodes.
type Snapshot struct {
	Train *Train
	seats []seatLegs

	lists  sync.Map // Legs → *seatList
	cached atomic.Int32
}

type seatList struct {
	once sync.Once
	json []byte
}

// NewSnapshot returns the state of a train that is stored: the legs on which each seat is booked,
// and its holds, of which those count that have not ended at now and are not of a deleted train
// with its id. A leg that is booked is not held.
func NewSnapshot(train *Train, booked map[int]Legs, holds []Hold, now time.Time) *Snapshot {
	s := &Snapshot{Train: train, seats: make([]seatLegs, train.Capacity)}
	for n, legs := range booked {
		if s.hasSeat(n) {
			s.seats[n-1].booked = legs
		}
	}
	for _, h := range holds {
		if !h.ExpiresAt.After(now) || h.Released || !h.BelongsTo(train) {
			continue
		}
		for _, n := range h.Seats {
			if s.hasSeat(n) {
				s.seats[n-1].held |= h.Legs &^ s.seats[n-1].booked
			}
		}
	}
	return s
}

func (s *Snapshot) hasSeat(n int) bool { return 1 <= n && n <= len(s.seats) }

// Tally counts the seats on the segment.
func (s *Snapshot) Tally(segment Legs) (t Tally) {
	for _, seat := range s.seats {
		if seat.booked.Overlaps(segment) {
			t.Booked++
		} else if seat.held.Overlaps(segment) {
			t.Held++
		}
	}
	t.Available = len(s.seats) - t.Booked - t.Held
	return t
}

// Availability returns the tally of the segment, without a seat list.
func (s *Snapshot) Availability(segment Legs) Availability {
	return Availability{Train: s.Train, Segment: segment, Tally: s.Tally(segment)}
}

// Sellable reports whether a passenger can still book the segment at now: the train is on
// sale and has not left.
func (s *Snapshot) Sellable(segment Legs, now time.Time) bool {
	return s.Train.OnSale && !s.Train.Departed(segment, now)
}

// Seats returns the state of every seat on the segment, in order of number.
func (s *Snapshot) Seats(segment Legs) []Seat {
	seats := make([]Seat, len(s.seats))
	for i, seat := range s.seats {
		seats[i] = Seat{Number: i + 1, State: seat.on(segment)}
	}
	return seats
}

// SeatList returns the JSON array of the numbers of the seats available on the
// segment, ascending. The bytes are shared: do not change them.
func (s *Snapshot) SeatList(segment Legs) []byte {
	kept, ok := s.lists.Load(segment)
	if !ok {
		// Reserve the place first: many readers may get here at once.
		if s.cached.Add(1) > maxCachedLists {
			s.cached.Add(-1)
			return s.encode(segment)
		}
		if kept, ok = s.lists.LoadOrStore(segment, &seatList{}); ok {
			s.cached.Add(-1)
		}
	}
	list := kept.(*seatList)
	list.once.Do(func() { list.json = s.encode(segment) })
	return list.json
}

func (s *Snapshot) encode(segment Legs) []byte {
	b := []byte{'['}
	for i, seat := range s.seats {
		if (seat.booked | seat.held).Overlaps(segment) {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(i+1), 10)
	}
	return append(b, ']')
}

func (s seatLegs) on(segment Legs) SeatState {
	switch {
	case s.booked.Overlaps(segment):
		return SeatBooked
	case s.held.Overlaps(segment):
		return SeatHeld
	}
	return SeatAvailable
}
