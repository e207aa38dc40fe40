package chaos_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/api/client"
	"trainbooking.dev/booking"
	"trainbooking.dev/test/chaos/history"
)

const (
	// requestTime is a little more than the service takes at most.
	requestTime = 6 * time.Second
	thinkTime   = 100 * time.Millisecond // at most, before each turn
	patience    = 15 * time.Second       // to ask again for an answer that did not come
)

// person is a client of a user, who may have others.
type person struct {
	r      *run
	id     int // of the client
	user   uuid.UUID
	api    *client.Client
	random *rand.Rand
	kept   []kept
}

type kept struct {
	train   booking.TrainID
	seat    int
	booking uuid.UUID
}

// live takes turns until the run is over.
func (p *person) live() {
	for p.think(thinkTime) {
		train := p.r.pick(p.random)
		switch dice := p.random.IntN(100); {
		case dice < 6:
			p.look(train)
		case dice < 9:
			p.count(train)
		case dice < 12:
			p.intrude()
		default:
			p.shop(train, 1+p.random.IntN(seats))
		}
	}
}

// think waits and reports whether the run goes on.
func (p *person) think(most time.Duration) bool {
	select {
	case <-time.After(time.Duration(p.random.Int64N(int64(most)))):
		return true
	case <-p.r.over:
		return false
	}
}

// shop holds a seat, and perhaps buys it, and perhaps gives it back.
func (p *person) shop(train booking.TrainID, seat int) {
	held := p.insist(history.Operation{Kind: history.Hold, Train: train, Seat: seat})
	if held.Result != history.Done {
		return
	}
	p.r.show(held)
	mine := history.Operation{Train: train, Seat: seat, Hold: held.Hold}
	switch dice := p.random.IntN(100); {
	case dice < 12:
		return // until it ends by itself
	case dice < 25:
		p.think(thinkTime)
		mine.Kind = history.Release
		p.insist(mine)
		return
	case dice < 32: // when it just ends, or just not
		wait := held.Ends - p.r.now() - 150*time.Millisecond + time.Duration(p.random.Int64N(int64(300*time.Millisecond)))
		select {
		case <-time.After(wait):
		case <-p.r.over:
		}
	default:
		p.think(2 * thinkTime)
	}
	mine.Kind = history.Confirm
	booked := p.insist(mine)
	if booked.Result != history.Done {
		return
	}
	p.kept = append(p.kept, kept{train, seat, booked.Booking})
	p.think(4 * thinkTime)
	for len(p.kept) > 1 || p.random.IntN(4) == 0 && len(p.kept) > 0 {
		k := p.kept[0]
		p.kept = p.kept[1:]
		p.insist(history.Operation{Kind: history.Cancel, Train: k.train, Seat: k.seat, Booking: k.booking})
	}
}

// intrude tries to buy, or to release, what another was told to have.
func (p *person) intrude() {
	seen, there := p.r.shown(p.random)
	if !there || seen.User == p.user {
		return
	}
	o := history.Operation{Kind: history.Confirm, Train: seen.Train, Seat: seen.Seat, Hold: seen.Hold}
	if p.random.IntN(2) == 0 {
		o.Kind = history.Release
	}
	p.ask(o)
}

// insist asks until there is an answer, as the API says: the same request finds what the
// first one did.
func (p *person) insist(o history.Operation) history.Operation {
	for begun := time.Now(); ; {
		answered := p.ask(o)
		failed := answered.Result == history.Unknown || answered.Result == history.NotExecuted
		if !failed || o.Kind == history.Hold && answered.Result == history.NotExecuted || time.Since(begun) > patience || !p.think(5*thinkTime) {
			return answered
		}
		o.Again = o.Again || answered.Result == history.Unknown
	}
}

// ask sends a request and writes it down with its answer.
func (p *person) ask(o history.Operation) history.Operation {
	o.Client, o.User = p.id, p.user
	ref := booking.HoldRef{User: p.user, Train: o.Train, Hold: o.Hold}
	if p.random.IntN(2) == 0 {
		ref.Seat = o.Seat // the other way to say the same
	}
	ctx := context.Background() // the client has a limit of its own
	var err error
	o.Call = p.r.now()
	switch o.Kind {
	case history.Hold:
		var h booking.Hold
		h, err = p.api.Hold(ctx, booking.HoldRequest{User: p.user, Train: o.Train, Seats: []int{o.Seat}})
		o.Return = p.r.now()
		if err == nil {
			o.Hold, o.Ends = h.ID, p.r.at(h.ExpiresAt)
		}
	case history.Confirm:
		var b booking.Booking
		b, err = p.api.Confirm(ctx, ref)
		o.Return = p.r.now()
		if err == nil {
			o.Booking = b.ID
		}
	case history.Release:
		err = p.api.Release(ctx, ref)
		o.Return = p.r.now()
	case history.Cancel:
		err = p.api.CancelBooking(ctx, p.user, o.Booking)
		o.Return = p.r.now()
	}
	o.Result, o.Detail = p.resultOf(o, err)
	p.r.record(o)
	return o
}

// resultOf says what an answer means, and complains of one that nothing explains.
func (p *person) resultOf(o history.Operation, err error) (history.Result, string) {
	if err == nil {
		return history.Done, ""
	}
	e, ours := errors.AsType[*booking.Error](err)
	switch {
	case !ours:
	case e.Outcome == booking.OutcomeNotExecuted:
		return history.NotExecuted, err.Error()
	case e.Outcome == booking.OutcomeUnknown:
		if e.Code == booking.CodeInternal {
			p.r.complain("%s: %v", o.Kind, err)
		}
		return history.Unknown, err.Error()
	case o.Kind == history.Hold && (e.Code == booking.CodeSeatLocked || e.Code == booking.CodeSeatBooked),
		(o.Kind == history.Confirm || o.Kind == history.Release) && e.Code == booking.CodeSeatNotLocked,
		o.Kind == history.Cancel && e.Code == booking.CodeNotFound: // which the checker judges
		return history.Result(e.Code), ""
	}
	p.r.complain("%s: %v", o.Kind, err)
	return history.Unknown, err.Error()
}

// look looks at all seats of a train.
func (p *person) look(train booking.TrainID) {
	o := history.Operation{Client: p.id, Train: train, User: p.user, Kind: history.Look, Call: p.r.now()}
	seen, err := p.api.SeatMap(context.Background(), train, "", "")
	o.Return = p.r.now()
	if o.Result, o.Detail = p.resultOf(o, err); o.Result != history.Done {
		p.r.record(o)
		return
	}
	if len(seen) != seats+1 {
		p.r.complain("I10: a look at %d seats of %d", len(seen), seats+1)
	}
	for _, seat := range seen {
		if seat.Number <= seats {
			o.Seat, o.State = seat.Number, seat.State
			p.r.record(o)
		}
	}
}

// count looks at the figures of a train.
func (p *person) count(train booking.TrainID) {
	o := history.Operation{Client: p.id, Train: train, User: p.user, Kind: history.Look, Call: p.r.now()}
	seen, err := p.api.FindTrain(context.Background(), train)
	o.Return = p.r.now()
	if o.Result, o.Detail = p.resultOf(o, err); o.Result != history.Done {
		p.r.record(o)
		return
	}
	if sum := seen.Available + seen.Held + seen.Booked; sum != seen.Train.Capacity {
		p.r.complain("I10: %d free, %d held and %d booked of %d", seen.Available, seen.Held, seen.Booked, seen.Train.Capacity)
	}
}
