package history

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

const (
	// lateness is how long after its end a hold may still be visible: an owner processes
	// earlier requests first, which takes time on a busy machine.
	lateness = time.Second
	// precision is that of the end of a hold, which the service rounds to milliseconds.
	precision = 2 * time.Millisecond
	// leaseTTL is that of RELIABILITY.md 2.
	leaseTTL = 6 * time.Second
)

// state is the state of a register. In a held state without a hold id, the hold is one whose
// outcome is unknown.
type state struct {
	is      booking.SeatState
	user    uuid.UUID
	hold    booking.HoldID
	booking uuid.UUID

	// after is the end of a hold that counts as ended: no operation that returned before it
	// may follow in the order. 0: none.
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
	shown    time.Duration // others may be refused because of it until then
}

// register is the model of one leg of one seat.
type register struct{ holds map[booking.HoldID]lifetime }

// entry is an operation as it concerns one register.
type entry struct {
	Operation
	shown   booking.SeatState // by a seat map
	open    bool              // unknown outcome: it may have no effect
	excused bool              // see run.excuse
}

// step returns the states that may follow was when the operation takes effect. It returns none
// if the response is impossible in was.
func (r *register) step(was state, e entry) (next []state) {
	if e.Return+precision < was.after {
		return nil
	}
	add := func(s state) {
		if e.Call >= s.after {
			s.after = 0 // every operation that returned before s.after is earlier in the order
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

// apply is step if the hold in was, if any, has not ended.
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

// applyCancel accepts a success in any state but the booking itself as a repeated cancel. The
// store shows whether the booking was cancelled.
func applyCancel(was state, e entry) (next state, possible bool) {
	if e.Result == NotFound {
		return was, false // an acknowledged booking is never deleted
	}
	if was.is == booking.SeatBooked && was.booking == e.Booking {
		return state{is: booking.SeatAvailable, after: was.after}, was.user == e.User
	}
	return was, true
}

// mayHaveEnded reports whether the hold may have ended when the operation took effect. A hold
// whose outcome is unknown may end at any time.
func (r *register) mayHaveEnded(id booking.HoldID, e entry) bool {
	return id.IsZero() || e.Return+precision >= r.holds[id].earliest
}

// mayLive reports whether the hold may have been alive when the operation took effect.
func (r *register) mayLive(id booking.HoldID, e entry) bool {
	return id.IsZero() || e.Call <= r.holds[id].until+precision
}

// mayBeShown reports whether the hold may have been visible when the operation took effect.
func (r *register) mayBeShown(id booking.HoldID, e entry) bool {
	return id.IsZero() || e.Call <= r.holds[id].shown
}
