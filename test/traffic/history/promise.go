package history

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// refusals are the refusals that a client may get, by kind of operation. The check of the
// registers decides whether they were correct.
var refusals = map[Kind][]Result{
	Hold:    {Locked, Booked, NotEnough, TooMany, HeldTooLong, HoldEnded},
	Confirm: {NotLocked, NotFound}, // NotFound: the train was shrunk
	Release: {NotLocked, NotFound},
	Cancel:  {NotFound},
	Delete:  {HasBookings, NotFound},
}

// unexpected returns the operations whose responses no fault explains.
func (r *run) unexpected() (problems []string) {
	for i := range r.Operations {
		if o := &r.Operations[i]; !r.expects(o) {
			problems = append(problems, fmt.Sprintf("unexpected response at %.3fs: %s %s", o.Return.Seconds(), o, o.Detail))
		}
	}
	return problems
}

// expects reports whether a correct service may return this result in some state of the seats.
func (r *run) expects(o *Operation) bool {
	return o.Result == Done || o.Failed() && o.Code != booking.CodeInternal ||
		slices.Contains(refusals[o.Kind], o.Result) || o.Result == NotFound && r.deletes[o.Train]
}

// missing returns the acknowledged confirms and cancels that the store contradicts (I5), and the
// bookings that differ from their hold (I8).
func (r *run) missing() (problems []string) {
	if r.Stored == nil {
		return nil
	}
	reported := map[uuid.UUID]bool{}
	for i := range r.Operations {
		o := &r.Operations[i]
		if o.Result != Done || reported[o.Booking] {
			continue
		}
		problem := ""
		switch o.Kind {
		case Confirm:
			problem = r.confirmProblem(o)
		case Cancel:
			problem = r.cancelProblem(o)
		}
		if problem != "" {
			reported[o.Booking] = true
			problems = append(problems, fmt.Sprintf("%s: booking %s: %s", problem, o.Booking, o))
		}
	}
	return problems
}

func (r *run) confirmProblem(o *Operation) string {
	b, stored := r.stored[o.Booking]
	mayBeCancelled := r.LiveOnly && (r.cancelled[o.Booking] || r.deletes[o.Train])
	switch {
	case !stored && !mayBeCancelled:
		return "I5: a booking was acknowledged and is lost"
	case stored && (b.User != o.User || b.Legs != o.Legs || !slices.Equal(b.Seats, o.Seats)):
		return "I8: a booking is not the hold that was confirmed"
	}
	return ""
}

func (r *run) cancelProblem(o *Operation) string {
	b, stored := r.stored[o.Booking]
	if stored && b.CancelledAt.IsZero() || !stored && !r.LiveOnly {
		return "I5: a cancellation was acknowledged and is lost"
	}
	return ""
}

// unrequested returns the stored bookings that no client confirmed.
func (r *run) unrequested() (problems []string) {
	for _, b := range r.Stored {
		if !r.confirmed[b.ID] && r.users[b.User] && r.seats[b.Train] != nil {
			problems = append(problems, fmt.Sprintf("booking %s of seats %v is stored, and no client confirmed it", b.ID, b.Seats))
		}
	}
	return problems
}

// soldTwice returns the live bookings in the store that share a leg of a seat (I1).
func (r *run) soldTwice() (problems []string) {
	sold := map[place]booking.Legs{}
	for _, b := range r.Stored {
		for _, n := range b.Seats {
			at := place{train: b.Train, seat: n}
			switch {
			case !b.CancelledAt.IsZero():
			case sold[at].Overlaps(b.Legs):
				problems = append(problems, fmt.Sprintf("I1: seat %d of train %s was sold twice", n, b.Train))
			default:
				sold[at] |= b.Legs
			}
		}
	}
	return problems
}

// interval is when a hold was certainly alive: [from, until).
type interval struct {
	seats       int
	from, until time.Duration
}

// overLimit returns the users who held more seats of a train at once than allowed (I9).
func (r *run) overLimit() (problems []string) {
	if r.MaxSeats == 0 {
		return nil
	}
	type account struct {
		user  uuid.UUID
		train booking.TrainID
	}
	holds := map[account]map[booking.HoldID]interval{}
	for i := range r.Operations {
		o := &r.Operations[i]
		a := account{o.User, o.Train}
		if o.Kind != Hold || o.Result != Done {
			continue
		}
		if holds[a] == nil {
			holds[a] = map[booking.HoldID]interval{}
		}
		if _, known := holds[a][o.Hold]; !known {
			holds[a][o.Hold] = interval{len(o.Seats), o.Return, r.certainUntil(o)}
		}
	}
	for a, intervals := range holds {
		for _, one := range intervals {
			held := 0
			for _, other := range intervals {
				if other.from <= one.from && one.from < other.until {
					held += other.seats
				}
			}
			if one.from < one.until && held > r.MaxSeats {
				problems = append(problems, fmt.Sprintf("I9: at %.3fs %s held %d seats of train %s", one.from.Seconds(), a.user, held, a.train))
			}
		}
	}
	return problems
}

// certainUntil returns the time until which a hold was certainly alive: its end, or the first
// call that may have ended it earlier.
func (r *run) certainUntil(hold *Operation) time.Duration {
	until := hold.Ends - precision
	for i := range r.Operations {
		o := &r.Operations[i]
		ends := o.Hold == hold.Hold && o.User == hold.User && (o.Kind == Confirm || o.Kind == Release)
		if o.Train == hold.Train && (ends || o.Kind == Delete) {
			until = min(until, o.Call)
		}
	}
	for _, loss := range r.Losses {
		until = min(until, loss.From)
	}
	return until
}
