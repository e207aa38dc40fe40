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

// run is one check of a History, with what it looks up in it.
type run struct {
	*History

	users     map[uuid.UUID]bool
	named     map[place]bool            // the seats below, without legs
	seats     map[booking.TrainID][]int // of operations, in order of their first occurrence
	legs      map[booking.TrainID]booking.Legs
	deletes   map[booking.TrainID]bool // the train was deleted, or may have been
	confirmed map[uuid.UUID]bool       // the bookings that clients tried to make
	cancelled map[uuid.UUID]bool       // the bookings that clients tried to cancel

	stored map[uuid.UUID]booking.Booking
	live   map[place]uuid.UUID // stored live bookings of the users
}

func newRun(h *History) *run {
	r := &run{
		History: h, users: map[uuid.UUID]bool{}, named: map[place]bool{}, seats: map[booking.TrainID][]int{},
		legs:    map[booking.TrainID]booking.Legs{},
		deletes: map[booking.TrainID]bool{}, confirmed: map[uuid.UUID]bool{}, cancelled: map[uuid.UUID]bool{},
		stored: map[uuid.UUID]booking.Booking{}, live: map[place]uuid.UUID{},
	}
	for i := range h.Operations {
		r.note(&h.Operations[i])
	}
	for _, b := range h.Stored {
		r.stored[b.ID] = b
		if !b.CancelledAt.IsZero() || !r.users[b.User] {
			continue
		}
		for _, n := range b.Seats {
			for leg := range legsOf(b.Legs) {
				r.live[place{b.Train, n, leg}] = b.ID
			}
		}
	}
	return r
}

func (r *run) note(o *Operation) {
	r.users[o.User] = true
	r.legs[o.Train] |= o.Legs
	for _, n := range o.Seats {
		if at := (place{train: o.Train, seat: n}); !r.named[at] {
			r.named[at] = true
			r.seats[o.Train] = append(r.seats[o.Train], n)
		}
	}
	switch o.Kind {
	case Confirm:
		r.confirmed[booking.BookingIDOf(o.User, o.Hold)] = true
	case Cancel:
		r.cancelled[o.Booking] = true
	case Delete:
		r.deletes[o.Train] = true
	}
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

// places returns the operations on each register, ordered by their calls.
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
				if o.States[j] == booking.SeatAvailable || o.Legs.Count() == 1 { // else the leg is unknown
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

// concerned returns the seats and legs of an operation that changes seats, or wanted to.
func (r *run) concerned(o *Operation) ([]int, booking.Legs) {
	switch o.Kind {
	case Hold:
		if o.Seats == nil { // by count: it may have taken any of them
			return r.seats[o.Train], o.Legs
		}
		return o.Seats, o.Legs
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

// silent reports whether an operation says nothing about the state of a place: a hold that was
// refused, unless it was because of the only seat and leg that it is about.
func (r *run) silent(o *Operation) bool {
	if o.Kind != Hold || o.Result == Done || o.Failed() {
		return false
	}
	namesItsPlace := (o.Result == Locked || o.Result == Booked) && len(o.Seats) == 1 && r.legs[o.Train].Count() == 1
	return r.Shared || !namesItsPlace
}

// prepare returns the model of a register and the entries that may have had an effect.
func (r *run) prepare(all []entry) (*register, []entry) {
	model := &register{holds: r.lifetimes(all)}
	var entries []entry
	for _, e := range all {
		if e.Result == NotExecuted || e.Result == Unknown && !r.mayHaveHappened(&e.Operation) || r.silent(&e.Operation) {
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

// lifetimes returns the lifetimes of the holds that clients were given.
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
	// A request in flight keeps the seat past the end of the hold, whatever its outcome.
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

// excuse reports whether a refusal or a seat map may have another reason than the state of the
// register: a hold in flight that failed later, or an owner that has not detected the loss of
// its lease.
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

// mayMeet reports whether other is a hold that was in flight at the same time as e and was not
// granted in the end: it failed, or the next owner refused it after the first could not store
// it. A user is refused because of other users only, but a seat map shows all holds.
func (e *entry) mayMeet(other entry) bool {
	refusedLater := other.Result != Done && other.Result != Unknown && other.Return > e.Return
	return other.Kind == Hold && (other.Result == NotExecuted || refusedLater) &&
		(e.Kind == SeatMap || other.User != e.User) && other.Call <= e.Return && e.Call <= other.Return
}
