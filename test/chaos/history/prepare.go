package history

import (
	"cmp"
	"slices"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// place is a seat of a train.
type place struct {
	train booking.TrainID
	seat  int
}

// bySeat sorts the operations by the seat that they are about, in order of their calls.
func (h *History) bySeat() map[place][]Operation {
	seats := map[place][]Operation{}
	for _, o := range h.Operations {
		if o.Seat == 0 {
			continue // a look that saw nothing
		}
		at := place{o.Train, o.Seat}
		seats[at] = append(seats[at], o)
	}
	for _, operations := range seats {
		slices.SortStableFunc(operations, func(a, b Operation) int { return cmp.Compare(a.Call, b.Call) })
	}
	return seats
}

// prepare makes the model of a seat, and the entries of its operations that may have done
// something.
func (h *History) prepare(operations []Operation) (*seat, []entry) {
	s := &seat{lives: h.lives(operations)}
	var entries []entry
	for _, o := range operations {
		if o.Result == NotExecuted || o.Result == Unknown && !h.mayHaveHappened(o) {
			continue
		}
		e := entry{Operation: o, open: o.Result == Unknown}
		if e.open {
			e.Return = Never
		} else {
			e.excused = h.excused(o, operations)
		}
		entries = append(entries, e)
	}
	return s, entries
}

// mayHaveHappened reports whether an operation with an unknown outcome may have had an effect.
func (h *History) mayHaveHappened(o Operation) bool {
	switch o.Kind {
	case Look:
		return false
	case Confirm:
		_, stored := h.Stored[booking.BookingIDOf(o.User, o.Hold)]
		return stored
	case Cancel:
		live, stored := h.Stored[o.Booking]
		return stored && !live
	}
	return true
}

// lives returns when each hold that was answered ends.
func (h *History) lives(operations []Operation) map[booking.HoldID]life {
	lives := map[booking.HoldID]life{}
	for _, o := range operations {
		if o.Kind != Hold || o.Result != Done {
			continue
		}
		if l, again := lives[o.Hold]; again { // it does not become longer by asking
			l.until, l.earliest = min(l.until, o.Ends), min(l.earliest, o.Ends)
			lives[o.Hold] = l
			continue
		}
		l := life{user: o.User, earliest: o.Ends, until: o.Ends, shown: max(o.Ends+lateness, o.Return)}
		for _, loss := range h.Losses {
			if o.Call <= loss.To && o.Ends >= loss.From {
				l.earliest = min(l.earliest, loss.From)
			}
		}
		lives[o.Hold] = l
	}
	// What is in transit keeps its seat, whatever the clock says, and whatever comes of it.
	for _, o := range operations {
		l, known := lives[o.Hold]
		if !known || o.User != l.user || o.Kind != Confirm && o.Kind != Release || o.Call > l.until+precision {
			continue
		}
		l.shown = max(l.shown, o.Return+lateness)
		if o.Result == Unknown {
			l.shown = Never
		}
		lives[o.Hold] = l
	}
	return lives
}

// excused reports whether a refusal, or what a look saw, may have another reason than the
// state of the seat: a hold in transit that failed in the end, or an owner that does not
// know yet that Redis has forgotten its lease.
func (h *History) excused(o Operation, operations []Operation) bool {
	refused := o.Result == Locked || o.Result == Booked || o.Result == NotLocked
	if !refused && o.Kind != Look {
		return false
	}
	for _, loss := range h.Losses {
		if o.Return >= loss.From && o.Call <= loss.To+leaseTTL && o.Kind != Confirm {
			return true
		}
	}
	return (o.Result == Locked || o.State == booking.SeatHeld) && slices.ContainsFunc(operations, o.mayMeet)
}

// mayMeet reports whether a hold that failed in the end was in transit when o was answered. A
// user is refused because of others alone, and may see the own.
func (o Operation) mayMeet(other Operation) bool {
	return other.Kind == Hold && other.Result == NotExecuted && (o.Kind == Look || other.User != o.User) &&
		other.Call <= o.Return && o.Call <= other.Return
}

// Missing returns the acknowledged bookings that the store does not have, and those that
// are live there although their cancelling was acknowledged (RELIABILITY.md I5).
func (h *History) Missing() (missing []Operation) {
	seen := map[uuid.UUID]bool{}
	for _, o := range h.Operations {
		live, stored := h.Stored[o.Booking]
		lost := o.Result == Done && (o.Kind == Confirm && !stored || o.Kind == Cancel && (live || !stored))
		if lost && !seen[o.Booking] {
			seen[o.Booking] = true
			missing = append(missing, o)
		}
	}
	return missing
}
