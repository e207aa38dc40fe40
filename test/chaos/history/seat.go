package history

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

const (
	// lateness is how long after its end a hold may still be shown: an owner ends it when
	// it has answered what came before, and on a busy machine that is late. Nobody is
	// promised a seat at the very moment.
	lateness = time.Second
	// precision is that of an end: the service rounds it to milliseconds.
	precision = 2 * time.Millisecond
	// leaseTTL is that of RELIABILITY.md 2.
	leaseTTL = 6 * time.Second
)

// state is what a seat is. A held one without a hold is held by an operation whose
// outcome is unknown.
type state struct {
	is      booking.SeatState
	user    uuid.UUID
	hold    booking.HoldID
	booking uuid.UUID

	// after is a moment that has passed: the end of a hold that counts as ended, while
	// there may be operations that returned before. 0: nothing that matters.
	after time.Duration
}

var free = state{is: booking.SeatAvailable}

func (s state) String() string {
	switch {
	case s.is == booking.SeatHeld && s.hold.IsZero():
		return fmt.Sprintf("perhaps held by %.8s", s.user)
	case s.is == booking.SeatHeld:
		return fmt.Sprintf("held by %.8s: …%s", s.user, s.hold.String()[len(s.hold.String())-6:])
	case s.is == booking.SeatBooked:
		return fmt.Sprintf("booked by %.8s: %.8s", s.user, s.booking)
	}
	return "free"
}

// life is when a hold ends.
type life struct {
	user     uuid.UUID
	earliest time.Duration // from then on it may have ended
	until    time.Duration // until then it may be confirmed
	shown    time.Duration // until then others may be refused because of it
}

// seat is the model of one seat.
type seat struct{ lives map[booking.HoldID]life }

// entry is an operation as the search sees it.
type entry struct {
	Operation
	open    bool // its outcome is unknown: it has an effect, or none
	excused bool // a refusal, or a sight, that may have another reason than the seat's state
}

// step returns what the seat may be after an operation that took effect when it was was;
// nothing when the operation cannot have been answered so.
func (s *seat) step(was state, o entry) (may []state) {
	if o.Return+precision < was.after {
		return nil
	}
	add := func(next state) {
		if o.Call >= next.after {
			next.after = 0 // what returned before this call came before
		}
		for _, other := range may {
			if other == next {
				return
			}
		}
		may = append(may, next)
	}
	if o.open || o.excused {
		add(was)
	}
	if next, possible := s.apply(was, o); possible {
		add(next)
	}
	if was.is == booking.SeatHeld && s.mayHaveEnded(was.hold, o) {
		ended := free
		ended.after = max(was.after, s.lives[was.hold].earliest)
		if next, possible := s.apply(ended, o); possible {
			add(next)
		}
	}
	return may
}

// apply is step for a seat whose hold, if it has one, has not ended.
func (s *seat) apply(was state, o entry) (next state, possible bool) {
	switch o.Kind {
	case Hold:
		return s.applyHold(was, o)
	case Confirm:
		return s.applyConfirm(was, o)
	case Release:
		return s.applyRelease(was, o)
	case Cancel:
		return applyCancel(was, o)
	case Look:
		return was, was.is == o.State && (was.is != booking.SeatHeld || s.mayBeShown(was.hold, o))
	case Stored:
		return was, was.booking == o.Booking
	}
	return was, false
}

func (s *seat) applyHold(was state, o entry) (next state, possible bool) {
	held := state{is: booking.SeatHeld, user: o.User, hold: o.Hold, after: was.after}
	switch {
	case o.open:
		return held, was.is == booking.SeatAvailable
	case o.Result == Locked:
		return was, was.is == booking.SeatHeld && was.user != o.User && s.mayBeShown(was.hold, o)
	case o.Result == Booked:
		return was, was.is == booking.SeatBooked
	case was.is == booking.SeatAvailable:
		return held, true
	case was.is == booking.SeatHeld && was.user == o.User: // asked once more
		return held, was.hold == o.Hold && s.mayLive(was.hold, o) || was.hold.IsZero()
	}
	return was, false
}

func (s *seat) applyConfirm(was state, o entry) (next state, possible bool) {
	its := was.is == booking.SeatHeld && was.user == o.User && was.hold == o.Hold
	id := booking.BookingIDOf(o.User, o.Hold)
	booked := state{is: booking.SeatBooked, user: o.User, booking: id, after: was.after}
	switch {
	case o.Result == NotLocked || o.Result == Booked:
		return was, !its && was != booked
	case !o.open && o.Booking != id:
		return was, false
	case its:
		return booked, s.mayLive(was.hold, o)
	}
	return was, was == booked // asked once more
}

func (s *seat) applyRelease(was state, o entry) (next state, possible bool) {
	its := was.is == booking.SeatHeld && was.user == o.User && was.hold == o.Hold
	if o.Result == NotLocked {
		return was, !its
	}
	return state{is: booking.SeatAvailable, after: was.after}, its && s.mayLive(was.hold, o)
}

// applyCancel takes any booking but the one that is cancelled for a sign that it was
// cancelled before. Whether it was is to be seen in the store.
func applyCancel(was state, o entry) (next state, possible bool) {
	if o.Result == NotFound {
		return was, false // acknowledged bookings are there for ever
	}
	if was.is == booking.SeatBooked && was.booking == o.Booking {
		return state{is: booking.SeatAvailable, after: was.after}, was.user == o.User
	}
	return was, true
}

// mayHaveEnded reports whether the hold can have been over when the operation took effect.
// One that nobody was told of may go at any time.
func (s *seat) mayHaveEnded(id booking.HoldID, o entry) bool {
	return id.IsZero() || o.Return+precision >= s.lives[id].earliest
}

// mayLive reports whether the hold can have been alive when the operation reached it.
func (s *seat) mayLive(id booking.HoldID, o entry) bool {
	return id.IsZero() || o.Call <= s.lives[id].until+precision
}

// mayBeShown reports whether others can have met the hold.
func (s *seat) mayBeShown(id booking.HoldID, o entry) bool {
	return id.IsZero() || o.Call <= s.lives[id].shown
}
