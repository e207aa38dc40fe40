package booking

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// maxCachedLists bounds the seat lists that one snapshot keeps encoded. Passengers ask
// for a few stretches of a train; all 2,016 of the longest one at full capacity would
// be 240 MB.
const maxCachedLists = 32

// Snapshot is the state of a train at one moment, immutable and safe for concurrent
// use. What it encodes it keeps, so that a state is encoded once for each stretch.
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

// Tally counts the seats on the stretch.
func (s *Snapshot) Tally(stretch Legs) (t Tally) {
	for _, seat := range s.seats {
		if seat.booked.Overlaps(stretch) {
			t.Booked++
		} else if seat.held.Overlaps(stretch) {
			t.Held++
		}
	}
	t.Available = len(s.seats) - t.Booked - t.Held
	return t
}

// Availability returns the figures of the stretch, without a seat list.
func (s *Snapshot) Availability(stretch Legs) Availability {
	return Availability{Train: s.Train, Stretch: stretch, Tally: s.Tally(stretch)}
}

// Sellable says whether a passenger can still book the stretch at now: the train is on
// sale and has not left.
func (s *Snapshot) Sellable(stretch Legs, now time.Time) bool {
	return s.Train.OnSale && !s.Train.Departed(stretch, now)
}

// Seats returns the state of every seat on the stretch, in order of number.
func (s *Snapshot) Seats(stretch Legs) []Seat {
	seats := make([]Seat, len(s.seats))
	for i, seat := range s.seats {
		seats[i] = Seat{Number: i + 1, State: seat.on(stretch)}
	}
	return seats
}

// SeatList returns the JSON array of the numbers of the seats available on the
// stretch, ascending. The bytes are shared: do not change them.
func (s *Snapshot) SeatList(stretch Legs) []byte {
	kept, ok := s.lists.Load(stretch)
	if !ok {
		// The place is taken before it is used: many readers may come at once.
		if s.cached.Add(1) > maxCachedLists {
			s.cached.Add(-1)
			return s.encode(stretch)
		}
		if kept, ok = s.lists.LoadOrStore(stretch, &seatList{}); ok {
			s.cached.Add(-1)
		}
	}
	list := kept.(*seatList)
	list.once.Do(func() { list.json = s.encode(stretch) })
	return list.json
}

func (s *Snapshot) encode(stretch Legs) []byte {
	b := []byte{'['}
	for i, seat := range s.seats {
		if (seat.booked | seat.held).Overlaps(stretch) {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(i+1), 10)
	}
	return append(b, ']')
}

func (s seatLegs) on(stretch Legs) SeatState {
	switch {
	case s.booked.Overlaps(stretch):
		return SeatBooked
	case s.held.Overlaps(stretch):
		return SeatHeld
	}
	return SeatAvailable
}
