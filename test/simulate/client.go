package simulate

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

const (
	askTimeout = 5 * time.Second
	minAttempt = 400 * time.Millisecond
)

// kind is what is asked.
type kind string

const (
	hold    kind = "hold"
	confirm kind = "confirm"
	release kind = "release"
	cancel  kind = "cancel"
	see     kind = "see"
)

// user asks for one thing after another, sometimes for several at once.
type user struct {
	*world
	id       uuid.UUID
	name     string
	asked    []booking.HoldRequest // some of what was asked for
	bookings []uuid.UUID
}

// request is something that a user asks, until it is answered or given up.
type request struct {
	*world
	user    *user
	kind    kind
	hold    booking.HoldRequest
	ref     booking.HoldRef
	booking uuid.UUID

	called   time.Duration
	returned time.Duration // forever while it is not known how it ended
	lost     bool          // an attempt
	over     bool
	judged   judged // for the ledger
}

const forever = time.Duration(1<<63 - 1)

// reply is what an activation answers, as in package actors.
type reply struct {
	value       any
	err         error
	retry, lost bool
	owner       string
}

// attempt is one try to get a request answered.
type attempt struct {
	request *request
	done    bool // answered, or given up
	back    func(reply)
}

func (u *user) goOn() {
	u.after(u.between(20*time.Millisecond, 1500*time.Millisecond), func() {
		u.do()
		u.goOn()
	})
}

// do asks for something that makes sense now, or for something that does not.
func (u *user) do() {
	r := &request{world: u.world, user: u, kind: hold, returned: forever}
	switch dice := u.rng.IntN(20); {
	case dice < 8 || len(u.asked) == 0:
		r.hold = u.newHold()
	case dice < 10: // the same again
		r.hold = pick(u.world, u.asked...)
		if u.chance(0.5) {
			r.hold.ID = u.holdID()
		}
	case dice < 14:
		r.kind, r.ref = confirm, u.ref()
	case dice < 17:
		r.kind, r.ref = release, u.ref()
	case dice < 19 && len(u.bookings) > 0:
		r.kind, r.booking = cancel, pick(u.world, u.bookings...)
	default:
		r.kind = see
	}
	r.begin()
}

func (u *user) holdID() (id booking.HoldID) {
	one, two := u.uuid(), u.train.ID
	copy(id[:14], two[:14])
	copy(id[14:], one[:])
	return id
}

func (u *user) newHold() booking.HoldRequest {
	from := u.rng.IntN(len(u.train.Stops) - 1)
	to := from + 1 + u.rng.IntN(len(u.train.Stops)-1-from)
	h := booking.HoldRequest{
		ID: u.holdID(), User: u.id, Train: u.train.ID,
		From: u.train.Stops[from].Station, To: u.train.Stops[to].Station,
	}
	if u.chance(0.2) {
		h.Count = 1 + u.rng.IntN(2)
	} else {
		h.Seats = u.rng.Perm(u.train.Capacity)[:1+u.rng.IntN(2)]
		for i := range h.Seats {
			h.Seats[i]++
		}
	}
	const kept = 4
	if u.asked = append(u.asked, h); len(u.asked) > kept {
		u.asked = u.asked[1:]
	}
	return h
}

// ref means one of the user's holds, by its id or by a seat, or that of another.
func (u *user) ref() booking.HoldRef {
	h := pick(u.world, u.asked...)
	if other := pick(u.world, u.users...); len(other.asked) > 0 && u.chance(0.1) {
		h = pick(u.world, other.asked...)
	}
	ref := booking.HoldRef{User: u.id, Train: u.train.ID, Hold: h.ID}
	if len(h.Seats) > 0 && u.chance(0.2) {
		ref.Hold, ref.Seat = booking.HoldID{}, h.Seats[0]
	}
	return ref
}

func (r *request) begin() {
	r.called = r.now
	r.ledger.calls(r)
	r.after(askTimeout, func() { r.end(nil, booking.Timeout(nil)) })
	to := pick(r.world, r.nodes...)
	if holder, held := r.shared.Holder(r.train.ID); held && r.chance(0.8) {
		to = r.at(holder.Address)
	}
	r.attempt(to, minAttempt, time.Millisecond)
}

// what is the request in words.
func (r *request) what() string {
	switch r.kind {
	case hold:
		return fmt.Sprintf("hold %s: seats %v (%d), %s to %s", short(r.hold.ID), r.hold.Seats, r.hold.Count, r.hold.From, r.hold.To)
	case confirm, release:
		return fmt.Sprintf("%s %s, seat %d", r.kind, short(r.ref.Hold), r.ref.Seat)
	case cancel:
		return fmt.Sprintf("cancel %s", r.booking.String()[:8])
	}
	return string(r.kind)
}

// short is an id by which people tell holds apart in a trace.
func short(id booking.HoldID) string { return hex.EncodeToString(id[14:18]) }

func (r *request) at(address string) *node {
	for _, n := range r.nodes {
		if n.address == address {
			return n
		}
	}
	return pick(r.world, r.nodes...)
}

// attempt asks a node; without an answer, or with one that says so, another.
func (r *request) attempt(to *node, timeout, backoff time.Duration) {
	at := &attempt{request: r}
	again := func(owner string) {
		next := pick(r.world, r.nodes...)
		if owner != "" {
			next = r.at(owner)
		}
		r.coverage["attempts again"]++
		r.after(backoff, func() {
			if !r.over {
				r.attempt(next, timeout, min(2*backoff, 50*time.Millisecond))
			}
		})
	}
	r.after(timeout, func() {
		if !at.done && !r.over {
			at.done, r.lost = true, true
			timeout *= 2
			again("")
		}
	})
	at.deliver(to, func(answer reply) {
		if at.done || r.over {
			return
		}
		at.done = true
		r.lost = r.lost || answer.lost
		if answer.retry {
			again(answer.owner)
			return
		}
		r.end(answer.value, outcome(answer.err, r.lost))
	})
}

// outcome is that of package actors: after a lost attempt nobody knows.
func outcome(err error, lost bool) error {
	e, ok := errors.AsType[*booking.Error](err)
	if !lost || !ok || e.Outcome != booking.OutcomeNotExecuted {
		return err
	}
	unknown := *e
	unknown.Outcome = booking.OutcomeUnknown
	return &unknown
}

// end tells the user, unless that is lost on the way.
func (r *request) end(value any, err error) {
	if r.over {
		return
	}
	r.over = true
	if r.now < faultTime && r.chance(0.02) {
		r.coverage["replies lost"]++
		return
	}
	result := string(booking.CodeOf(err))
	if err == nil {
		result = "ok"
	}
	if e, ok := errors.AsType[*booking.Error](err); ok && e.Outcome != "" {
		result += " " + string(e.Outcome)
	}
	r.coverage["operations: "+string(r.kind)+" "+result]++
	if r.tracing {
		r.say("%s is told of %s: %s", r.user.name, r.what(), result)
	}
	r.ledger.returns(r, value, err)
	if b, ok := value.(booking.Booking); ok && err == nil {
		r.user.bookings = append(r.user.bookings, b.ID)
	}
}

// deliver carries an attempt to a node.
func (at *attempt) deliver(to *node, back func(reply)) {
	at.back = back
	w, life := at.request.world, to.life
	if to.down || w.now < faultTime && w.chance(w.lossRate/4) {
		return
	}
	w.after(w.latency()/4, func() {
		if to.life == life && !to.down {
			to.do(func() { to.ask(at) })
		}
	})
}

// answer carries the answer back.
func (at *attempt) answer(from *node, r reply) {
	w := from.world
	if w.now < faultTime && w.chance(w.lossRate/4) {
		return
	}
	w.after(w.latency()/4, func() { at.back(r) })
}
