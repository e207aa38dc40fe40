package booking

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// A user who holds a seat again and again, without ever paying for it, would keep it from everybody
// else. So if somebody else was refused a seat because of a hold, and that ends without a booking, its
// user cannot hold the seat again for a while. The seat map forgets this when it is closed.

// pause keeps a user from holding a seat on some legs.
type pause struct {
	seat  int
	legs  Legs
	until time.Time
}

// pauses are the pauses of all users.
type pauses struct {
	byUser map[uuid.UUID][]pause // in the order in which they were added
	order  []uuid.UUID           // the user of each pause, in that order
}

// add adds a pause for each of some seats of a hold that somebody else wanted while they were held. That
// ended at a time.
func (p *pauses) add(h *liveHold, seats []int, ended time.Time) {
	for _, n := range h.wanted {
		if !slices.Contains(seats, n) {
			continue
		}
		p.byUser[h.User] = append(p.byUser[h.User], pause{n, h.Legs, ended.Add(h.pause)})
		p.order = append(p.order, h.User)
	}
}

// expire removes pauses that have ended, except those that were added after one that has not.
func (p *pauses) expire(now time.Time) {
	for len(p.order) > 0 && !p.byUser[p.order[0]][0].until.After(now) {
		user := p.order[0]
		if p.order, p.byUser[user] = p.order[1:], p.byUser[user][1:]; len(p.byUser[user]) == 0 {
			delete(p.byUser, user)
		}
	}
}

// until returns when the user may hold a seat on the segment again; zero: now.
func (p *pauses) until(user uuid.UUID, seat int, segment Legs, now time.Time) (until time.Time) {
	for _, o := range p.byUser[user] {
		if o.seat == seat && o.legs.Overlaps(segment) && o.until.After(now) {
			until = latest(until, o.until)
		}
	}
	return until
}

// seats returns the numbers of the seats that the user may not hold on the segment at now.
func (p *pauses) seats(user uuid.UUID, segment Legs, now time.Time) (seats []int) {
	for _, o := range p.byUser[user] {
		if o.legs.Overlaps(segment) && o.until.After(now) {
			seats = append(seats, o.seat)
		}
	}
	return seats
}

// want records that the user was refused some seats because others hold them on the segment.
func (m *SeatMap) want(user uuid.UUID, seats []int, segment Legs, rules HoldRules) {
	if rules.ReholdPause == 0 {
		return
	}
	for _, n := range seats {
		for _, h := range m.bySeat[n] {
			if h.User != user && h.Legs.Overlaps(segment) && !slices.Contains(h.wanted, n) {
				h.wanted, h.pause = append(h.wanted, n), rules.ReholdPause
			}
		}
	}
}

// wantHeld records that a request for more seats than are free was refused, if there would be enough
// without the holds of others.
func (m *SeatMap) wantHeld(request HoldRequest, free int, segment Legs, rules HoldRules) {
	if rules.ReholdPause == 0 {
		return
	}
	var held []int
	for n, holds := range m.bySeat {
		others := func(h *liveHold) bool { return h.User != request.User && h.Legs.Overlaps(segment) }
		if slices.ContainsFunc(holds, others) && !m.seats.at(n).booked.Overlaps(segment) {
			held = append(held, n)
		}
	}
	if free+len(held) >= request.Count {
		m.want(request.User, held, segment, rules)
	}
}

func errHeldTooLong(until time.Time) *Error {
	return &Error{
		Code: CodeHeldTooLong, BecomesFreeAt: until,
		Message: "You have held this seat while somebody else wanted it, take another one",
	}
}
