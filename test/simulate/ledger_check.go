package simulate

import (
	"slices"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest"
)

// checkSeats compares the seats in the store with the bookings.
func (l *ledger) checkSeats() {
	stored, err := l.store.SeatLegs(background, []booking.TrainID{l.train.ID})
	if err != nil {
		l.broken("I8", "the seats cannot be read: %v", err)
	}
	for seat := 1; seat <= l.train.Capacity+1; seat++ {
		if want, got := l.taken(seat), stored[0][seat]; want != got {
			l.broken("I8", "legs %s of seat %d are sold, but bookings have %s", got, seat, want)
		}
	}
}

// taken returns the legs of a seat that are sold.
func (l *ledger) taken(seat int) booking.Legs {
	legs := l.byHand[seat]
	for _, b := range l.sold {
		if !b.cancelled && slices.Contains(b.Seats, seat) {
			legs |= b.Legs
		}
	}
	return legs
}

// checkNoHold checks that the hold that became a cancelled booking is not stored any more, or without its
// seats if the booking was a part: they are free to all readers. An owner whose clock is ahead may have counted it as ended.
func (l *ledger) checkNoHold(id uuid.UUID) {
	live := l.time().Add(l.tolerance)
	stored, err := persistencetest.LoadHolds(background, l.shared.At("", l.time), l.train.ID, live)
	if err != nil {
		l.broken("I5", "the holds cannot be read: %v", err)
	}
	b := l.byID[id]
	for _, h := range stored {
		if b != nil && l.isBefore(h, b) && slices.ContainsFunc(b.Seats, func(n int) bool { return slices.Contains(h.Seats, n) }) {
			l.brokenUnlessExempt("I5", "hold %s is stored, but its booking was cancelled", shortID(h.ID))
		}
	}
}

// isBefore reports whether a stored hold is the one that became the booking, in part or whole, rather than
// one that was made under its id after it had ended.
func (l *ledger) isBefore(h booking.Hold, b *sold) bool {
	made := h.ExpiresAt.Sub(startTime) - l.rules.TTL
	if h.Extended {
		made -= l.rules.TTL
	}
	return h.ID == b.hold && made < b.at-l.tolerance
}

// checkSnapshot checks that tallies and seats agree.
func (l *ledger) checkSnapshot(s *booking.Snapshot) {
	for leg := range len(l.train.Stops) - 1 {
		legs := booking.Segment(leg, leg+1)
		var states booking.Tally
		for _, seat := range s.Seats(legs) {
			switch seat.State {
			case booking.SeatAvailable:
				states.Available++
			case booking.SeatHeld:
				states.Held++
			case booking.SeatBooked:
				states.Booked++
			}
		}
		t := s.Tally(legs)
		if t != states || t.Available+t.Held+t.Booked != s.Train.Capacity {
			l.broken("I10", "the tally of leg %d is %v, but its seats are %v", leg, t, states)
		}
	}
}

// checkStore compares the store with the bookings at the end.
func (l *ledger) checkStore() {
	for _, b := range l.sold {
		stored, err := l.store.FindBooking(background, b.ID)
		switch {
		case err != nil || stored.CancelledAt.IsZero() == b.cancelled:
			l.broken("I5", "the booking of hold %s is not stored as it was written", shortID(b.hold))
		case b.cancelled != (stored.CancelledBy == booking.ByPassenger):
			l.broken("I5", "the booking of hold %s was cancelled by %q", shortID(b.hold), stored.CancelledBy)
		}
	}
}
