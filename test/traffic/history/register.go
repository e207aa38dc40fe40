package history

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

const (
	// lateness is how long after its end a hold may still be shown: an owner ends it after
	// it has answered earlier requests, and on a busy machine that takes time.
	lateness = time.Second
	// precision is that of an end: the service rounds it to milliseconds.
	precision = 2 * time.Millisecond
	// leaseTTL is that of RELIABILITY.md 2.
	leaseTTL = 6 * time.Second
)

// state is the state of a register. A held one without a hold is held by an operation
// whose outcome is unknown.
type state struct {
	is      booking.SeatState
	user    uuid.UUID
	hold    booking.HoldID
	booking uuid.UUID

	// after is a moment that has passed: the end of a hold that counts as ended, while
	// there may be operations that returned before it. 0: none.
	after time.Duration
}

var free = state{is: booking.SeatAvailable}

func (s state) String() string {
	switch {
	case s.is == booking.SeatHeld && s.hold.IsZero():
		return fmt.Sprintf("perhaps held by %.8s", s.user)
	case s.is == booking.SeatHeld:
		return fmt.Sprintf("held by %.8s: …%s", s.user, tail(s.hold))
	case s.is == booking.SeatBooked:
		return fmt.Sprintf("booked by %.8s: %.8s", s.user, s.booking)
	}
	return "free"
}

// lifetime is when a hold ends.
type lifetime struct {
	user     uuid.UUID
	earliest time.Duration // it may end then or later
	until    time.Duration // it may be confirmed until then
	shown    time.Duration // it may stand in the way of others until then
}

// register is the model of one leg of one seat.
type register struct{ holds map[booking.HoldID]lifetime }

// entry is an operation as it concerns one register.
type entry struct {
	Operation
	shown   booking.SeatState // by a seat map
	open    bool              // its outcome is unknown: it has an effect, or none
	excused bool              // it may have another reason than the state of the register
}

// step returns the states that may follow was when the operation takes effect, none if its
// response is impossible there.
func (r *register) step(was state, e entry) (next []state) {
	if e.Return+precision < was.after {
		return nil
	}
	add := func(s state) {
		if e.Call >= s.after {
			s.after = 0 // every operation that returned before comes earlier in the order
		}
		if !slices.Contains(next, s) {
			next = append(next, s)
		}
	}
	if e.open || e.excused {
		add(was)
	}
	if s, possible := r.apply(was, e); possible {
		add(s)
	}
	if was.is == booking.SeatHeld && r.mayHaveEnded(was.hold, e) {
		ended := free
		ended.after = max(was.after, r.holds[was.hold].earliest)
		if s, possible := r.apply(ended, e); possible {
			add(s)
		}
	}
	return next
}

// apply is step for a register whose hold, if it has one, has not ended.
func (r *register) apply(was state, e entry) (next state, possible bool) {
	switch e.Kind {
	case Hold:
		return r.applyHold(was, e)
	case Confirm:
		return r.applyConfirm(was, e)
	case Release:
		return r.applyRelease(was, e)
	case Cancel:
		return applyCancel(was, e)
	case Delete:
		return state{is: booking.SeatAvailable, after: was.after}, e.Force || was.is != booking.SeatBooked
	case SeatMap:
		return was, was.is == e.shown && (was.is != booking.SeatHeld || r.mayBeShown(was.hold, e))
	case final:
		return was, was.booking == e.Booking
	}
	return was, false
}

func (r *register) applyHold(was state, e entry) (next state, possible bool) {
	held := state{is: booking.SeatHeld, user: e.User, hold: e.Hold, after: was.after}
	switch {
	case e.open:
		held.hold = booking.HoldID{}
		return held, was.is == booking.SeatAvailable
	case e.Result == Locked:
		return was, was.is == booking.SeatHeld && was.user != e.User && r.mayBeShown(was.hold, e)
	case e.Result == Booked:
		return was, was.is == booking.SeatBooked
	case was.is == booking.SeatAvailable:
		return held, true
	case was.is == booking.SeatHeld && was.user == e.User: // a repeated request finds it
		return held, was.hold == e.Hold && r.mayLive(was.hold, e) || was.hold.IsZero()
	}
	return was, false
}

func (r *register) applyConfirm(was state, e entry) (next state, possible bool) {
	own := was.is == booking.SeatHeld && was.user == e.User && was.hold == e.Hold
	id := booking.BookingIDOf(e.User, e.Hold)
	booked := state{is: booking.SeatBooked, user: e.User, booking: id, after: was.after}
	switch {
	case e.Result == NotLocked || e.Result == NotFound:
		return was, !own && (was.is != booking.SeatBooked || was.booking != id)
	case !e.open && e.Booking != id:
		return was, false
	case own:
		return booked, r.mayLive(was.hold, e)
	}
	return was, was == booked // a repeated request finds it
}

func (r *register) applyRelease(was state, e entry) (next state, possible bool) {
	own := was.is == booking.SeatHeld && was.user == e.User && was.hold == e.Hold
	if e.Result == NotLocked || e.Result == NotFound {
		return was, !own
	}
	return state{is: booking.SeatAvailable, after: was.after}, own && r.mayLive(was.hold, e)
}

// applyCancel takes any state but the booking itself as a sign that it was cancelled before.
// The store shows whether it was.
func applyCancel(was state, e entry) (next state, possible bool) {
	if e.Result == NotFound {
		return was, false // an acknowledged booking can be found for ever
	}
	if was.is == booking.SeatBooked && was.booking == e.Booking {
		return state{is: booking.SeatAvailable, after: was.after}, was.user == e.User
	}
	return was, true
}

// mayHaveEnded reports whether the hold can have ended when the operation took effect. One
// that no client was given may end at any time.
func (r *register) mayHaveEnded(id booking.HoldID, e entry) bool {
	return id.IsZero() || e.Return+precision >= r.holds[id].earliest
}

// mayLive reports whether the hold can have been alive when the operation reached it.
func (r *register) mayLive(id booking.HoldID, e entry) bool {
	return id.IsZero() || e.Call <= r.holds[id].until+precision
}

// mayBeShown reports whether others can have met the hold.
func (r *register) mayBeShown(id booking.HoldID, e entry) bool {
	return id.IsZero() || e.Call <= r.holds[id].shown
}
