package history

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// refusals are the refusals that a client may get, by kind of operation. The check of the
// registers decides whether they were right.
var refusals = map[Kind][]Result{
	Hold:    {Locked, Booked, TooMany, HoldEnded},
	Confirm: {NotLocked, NotFound}, // not found: the train has shrunk since
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

// expects reports whether a service that keeps its promises may respond so, the state of the
// seats aside.
func (r *run) expects(o *Operation) bool {
	return o.Result == Done || o.Failed() && o.Code != booking.CodeInternal ||
		slices.Contains(refusals[o.Kind], o.Result) || o.Result == NotFound && r.deletes[o.Train]
}

// missing returns where the store contradicts an acknowledged confirm or cancel (I5), a
// booking that differs from the hold that was confirmed (I8), and bookings that no client
// asked for.
func (r *run) missing() (problems []string) {
	if r.Stored == nil {
		return nil
	}
	confirmed, cancelled := map[uuid.UUID]bool{}, map[uuid.UUID]bool{}
	for i := range r.Operations {
		switch o := &r.Operations[i]; o.Kind {
		case Confirm:
			confirmed[booking.BookingIDOf(o.User, o.Hold)] = true
		case Cancel:
			cancelled[o.Booking] = true
		}
	}
	reported := map[uuid.UUID]bool{}
	for i := range r.Operations {
		o := &r.Operations[i]
		b, stored := r.stored[o.Booking]
		mayBeCancelled := r.LiveOnly && (cancelled[o.Booking] || r.deletes[o.Train])
		problem := ""
		switch {
		case o.Result != Done || reported[o.Booking]:
		case o.Kind == Confirm && !stored && !mayBeCancelled:
			problem = "I5: booking %s was acknowledged and is lost: %s"
		case o.Kind == Confirm && stored && (b.User != o.User || b.Legs != o.Legs || !slices.Equal(b.Seats, o.Seats)):
			problem = "I8: booking %s is not the hold that was confirmed: %s"
		case o.Kind == Cancel && stored && b.CancelledAt.IsZero(), o.Kind == Cancel && !stored && !r.LiveOnly:
			problem = "I5: the cancelling of booking %s was acknowledged and is lost: %s"
		}
		if problem != "" {
			reported[o.Booking] = true
			problems = append(problems, fmt.Sprintf(problem, o.Booking, o))
		}
	}
	for _, b := range r.Stored {
		if !confirmed[b.ID] && r.users[b.User] && r.seats[b.Train] != nil {
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

// interval is when a hold was alive for certain: [from, until).
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

// certainUntil returns until when a hold was alive for certain: its end, or the first call
// that may have ended it before.
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
