package history

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// place is one leg of one seat.
type place struct {
	train booking.TrainID
	seat  int
	leg   int
}

// run is one check of a History.
type run struct {
	*History
	stored  map[uuid.UUID]booking.Booking
	seats   map[booking.TrainID][]int // that operations name, ascending
	legs    map[booking.TrainID]booking.Legs
	deletes map[booking.TrainID]bool // the train was deleted, or may have been
	users   map[uuid.UUID]bool
	live    map[place]uuid.UUID // the bookings of the users in the store
}

func newRun(h *History) *run {
	r := &run{
		History: h, stored: map[uuid.UUID]booking.Booking{}, seats: map[booking.TrainID][]int{},
		legs: map[booking.TrainID]booking.Legs{}, deletes: map[booking.TrainID]bool{},
		users: map[uuid.UUID]bool{}, live: map[place]uuid.UUID{},
	}
	named := map[place]bool{}
	for i := range h.Operations {
		o := &h.Operations[i]
		r.users[o.User] = true
		r.legs[o.Train] |= o.Legs
		r.deletes[o.Train] = r.deletes[o.Train] || o.Kind == Delete
		for _, n := range o.Seats {
			if at := (place{train: o.Train, seat: n}); !named[at] {
				named[at] = true
				r.seats[o.Train] = append(r.seats[o.Train], n)
			}
		}
	}
	for _, b := range h.Stored {
		r.stored[b.ID] = b
		if b.CancelledAt.IsZero() && r.users[b.User] {
			for _, n := range b.Seats {
				for leg := range legsOf(b.Legs) {
					r.live[place{b.Train, n, leg}] = b.ID
				}
			}
		}
	}
	return r
}

// legsOf yields the positions of the legs.
func legsOf(legs booking.Legs) iter.Seq[int] {
	return func(yield func(int) bool) {
		for leg := range booking.MaxLegs {
			if legs.Overlaps(booking.Segment(leg, leg+1)) && !yield(leg) {
				return
			}
		}
	}
}

// places sorts the operations by the registers that they concern, in order of their calls.
func (r *run) places() map[place][]entry {
	entries := map[place][]entry{}
	add := func(o *Operation, seat int, legs booking.Legs, shown booking.SeatState) {
		for leg := range legsOf(legs) {
			at := place{o.Train, seat, leg}
			entries[at] = append(entries[at], entry{Operation: *o, shown: shown})
		}
	}
	var last time.Duration
	for i := range r.Operations {
		o := &r.Operations[i]
		last = max(last, o.Return)
		seats, legs := r.concerned(o)
		for _, n := range seats {
			add(o, n, legs, "")
		}
		if o.Kind == SeatMap && o.Result == Done && !r.Shared {
			for j, n := range o.Seats {
				if o.States[j] == booking.SeatAvailable || o.Legs.Count() == 1 { // else it may be any of the legs
					add(o, n, o.Legs, o.States[j])
				}
			}
		}
	}
	for at, list := range entries {
		slices.SortStableFunc(list, func(a, b entry) int { return cmp.Compare(a.Call, b.Call) })
		if r.Stored != nil {
			e := entry{Operation: Operation{Kind: final, Train: at.train, Call: last + 1, Return: last + 2, Result: Done}}
			e.Booking = r.live[at]
			list = append(list, e)
		}
		entries[at] = list
	}
	return entries
}

// concerned returns the seats and legs of an operation that changes seats, none where the
// response does not say which of several was in the way.
func (r *run) concerned(o *Operation) ([]int, booking.Legs) {
	switch o.Kind {
	case Hold:
		switch {
		case o.Result == Done:
			return o.Seats, o.Legs
		case o.Failed() && o.Seats == nil:
			return r.seats[o.Train], o.Legs
		case o.Failed():
			return o.Seats, o.Legs
		case o.Result == Locked || o.Result == Booked:
			if !r.Shared && len(o.Seats) == 1 && r.legs[o.Train].Count() == 1 {
				return o.Seats, o.Legs
			}
		}
	case Confirm, Release, Cancel:
		if r.expects(o) && (o.Result != NotFound || !r.deletes[o.Train]) {
			return o.Seats, o.Legs
		}
	case Delete:
		if o.Result == Done || o.Failed() {
			return r.seats[o.Train], r.legs[o.Train]
		}
	}
	return nil, 0
}

// prepare makes the model of a register, and keeps the entries that may have had an effect.
func (r *run) prepare(all []entry) (*register, []entry) {
	model := &register{holds: r.lifetimes(all)}
	var entries []entry
	for _, e := range all {
		if e.Result == NotExecuted || e.Result == Unknown && !r.mayHaveHappened(&e.Operation) {
			continue
		}
		if e.open = e.Result == Unknown; e.open {
			e.Return = Never
		} else {
			e.excused = r.excuse(&e, all)
		}
		entries = append(entries, e)
	}
	return model, entries
}

// mayHaveHappened reports whether an operation with an unknown outcome may have had an
// effect.
func (r *run) mayHaveHappened(o *Operation) bool {
	if r.Stored == nil {
		return true
	}
	switch o.Kind {
	case Confirm:
		_, stored := r.stored[booking.BookingIDOf(o.User, o.Hold)]
		return stored || r.LiveOnly
	case Cancel:
		b, stored := r.stored[o.Booking]
		return stored && !b.CancelledAt.IsZero() || !stored && r.LiveOnly
	}
	return true
}

// lifetimes returns when each hold ends that a client was given.
func (r *run) lifetimes(entries []entry) map[booking.HoldID]lifetime {
	holds := map[booking.HoldID]lifetime{}
	for _, e := range entries {
		if e.Kind != Hold || e.Result != Done {
			continue
		}
		l, again := holds[e.Hold]
		if !again {
			l = lifetime{user: e.User, earliest: e.Ends, until: e.Ends}
		}
		// A hold that had ended may have been made again under its id.
		l.earliest, l.until = min(l.earliest, e.Ends), max(l.until, e.Ends)
		l.shown = max(l.shown, e.Ends+lateness, e.Return)
		for _, loss := range r.Losses {
			if e.Call <= loss.To && e.Ends >= loss.From {
				l.earliest = min(l.earliest, loss.From)
			}
		}
		holds[e.Hold] = l
	}
	// A request that is being written keeps its seat past the end of the hold, whatever
	// its outcome.
	for _, e := range entries {
		l, known := holds[e.Hold]
		if !known || e.User != l.user || e.Kind != Confirm && e.Kind != Release || e.Call > l.until+precision {
			continue
		}
		l.shown = max(l.shown, e.Return+lateness)
		if e.Result == Unknown {
			l.shown = Never
		}
		holds[e.Hold] = l
	}
	return holds
}

// excuse reports whether a refusal, or what a seat map shows, may have another reason than
// the state of the register: a hold under way that failed in the end, or an owner that
// has not noticed that Redis lost its lease.
func (r *run) excuse(e *entry, all []entry) bool {
	refused := e.Result == Locked || e.Result == Booked || e.Result == NotLocked
	if !refused && e.Kind != SeatMap {
		return false
	}
	for _, loss := range r.Losses {
		if e.Return >= loss.From && e.Call <= loss.To+leaseTTL && e.Kind != Confirm {
			return true
		}
	}
	return (e.Result == Locked || e.shown == booking.SeatHeld) && slices.ContainsFunc(all, e.mayMeet)
}

// mayMeet reports whether a hold that failed in the end was under way when e returned.
// Users are refused because of others alone, and may see their own.
func (e *entry) mayMeet(other entry) bool {
	return other.Kind == Hold && other.Result == NotExecuted && (e.Kind == SeatMap || other.User != e.User) &&
		other.Call <= e.Return && e.Call <= other.Return
}
