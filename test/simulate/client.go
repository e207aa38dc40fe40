package simulate

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
)

const (
	requestTimeout = 5 * time.Second
	minAttempt     = 400 * time.Millisecond
)

// kind is the kind of a request.
type kind string

const (
	hold    kind = "hold"
	confirm kind = "confirm"
	extend  kind = "extend"
	release kind = "release"
	cancel  kind = "cancel"
	change  kind = "change"
)

// user makes requests, some of them concurrently.
type user struct {
	*world
	id       uuid.UUID
	name     string
	requests []booking.HoldRequest // some of its requests
	bookings []uuid.UUID
}

// request is a request of a user, with its attempts.
type request struct {
	*world
	user    *user
	kind    kind
	hold    booking.HoldRequest
	ref     booking.HoldRef
	booking uuid.UUID
	train   booking.Train

	called   time.Duration
	returned time.Duration // never while its outcome is unknown
	lost     bool          // an attempt may have been executed
	conflict int           // attempts that met a conflict
	ended    bool
	record   requestRecord
}

const never = time.Duration(1<<63 - 1)

// attempt is one attempt at a request.
type attempt struct {
	request   *request
	lost      bool // an earlier attempt may have been executed
	conflicts int  // earlier attempts that met a conflict
	expires   time.Duration
	done      bool // it has a response or has expired
	back      func(activation.Response)
}

func (u *user) scheduleNext() {
	u.after(u.between(20*time.Millisecond, 1500*time.Millisecond), func() {
		u.do()
		u.scheduleNext()
	})
}

// do makes a random request, which may be invalid.
func (u *user) do() {
	r := &request{world: u.world, user: u, kind: hold, returned: never}
	switch dice := u.rng.IntN(20); {
	case u.chance(0.01): // rare, because the other requests wait for it
		r.kind, r.train = change, u.train
		r.train.Capacity += u.rng.IntN(3) - 1
		r.train.Name = pick(u.world, "Simulated", "Renamed")
	case dice < 8 || len(u.requests) == 0:
		r.hold = u.newHold()
	case dice < 10: // a retry
		r.hold = pick(u.world, u.requests...)
		if u.chance(0.5) {
			r.hold.ID = u.holdID()
		}
	case dice < 14:
		r.kind, r.ref = confirm, u.refToSome()
	case dice < 15:
		r.kind, r.ref = extend, u.ref()
	case dice < 17 || len(u.bookings) == 0:
		r.kind, r.ref = release, u.refToSome()
	default:
		r.kind, r.booking = cancel, pick(u.world, u.bookings...)
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
	if u.requests = append(u.requests, h); len(u.requests) > kept {
		u.requests = u.requests[1:]
	}
	return h
}

// ref refers to a hold of the user or, sometimes, of another user, by its id or by a seat.
func (u *user) ref() booking.HoldRef {
	h := pick(u.world, u.requests...)
	if other := pick(u.world, u.users...); len(other.requests) > 0 && u.chance(0.1) {
		h = pick(u.world, other.requests...)
	}
	ref := booking.HoldRef{User: u.id, Train: u.train.ID, Hold: h.ID}
	if len(h.Seats) > 0 && u.chance(0.2) {
		ref.Hold, ref.Seat = booking.HoldID{}, h.Seats[0]
	}
	return ref
}

// refToSome is ref, or refers to one seat of a hold.
func (u *user) refToSome() booking.HoldRef {
	ref := u.ref()
	if !ref.Hold.IsZero() && u.chance(0.3) {
		ref.Seats = []int{1 + u.rng.IntN(u.train.Capacity)}
	}
	return ref
}

func (r *request) begin() {
	r.called = r.now
	r.ledger.requestMade(r)
	r.after(requestTimeout, func() { r.end(nil, booking.Timeout(nil)) })
	to := pick(r.world, r.nodes...)
	if holder, held := r.shared.Holder(r.train.ID); held && r.chance(0.8) {
		to = r.at(holder.Address)
	}
	r.attempt(to, minAttempt, time.Millisecond)
}

// describe describes the request.
func (r *request) describe() string {
	switch r.kind {
	case hold:
		return fmt.Sprintf("hold %s: seats %v (%d), %s to %s", shortID(r.hold.ID), r.hold.Seats, r.hold.Count, r.hold.From, r.hold.To)
	case confirm, extend, release:
		return fmt.Sprintf("%s %s, seat %d, seats %v", r.kind, shortID(r.ref.Hold), r.ref.Seat, r.ref.Seats)
	case cancel:
		return fmt.Sprintf("cancel %s", r.booking.String()[:8])
	}
	return string(r.kind)
}

// shortID abbreviates an id for the log.
func shortID(id booking.HoldID) string { return hex.EncodeToString(id[14:18]) }

func (r *request) at(address string) *node {
	for _, n := range r.nodes {
		if n.address == address {
			return n
		}
	}
	return pick(r.world, r.nodes...)
}

// attempt sends the request to a node, and retries at another after a timeout or on request.
func (r *request) attempt(to *node, timeout, backoff time.Duration) {
	at := &attempt{request: r, lost: r.lost, conflicts: r.conflict, expires: r.now + timeout}
	retry := func(owner string) {
		next := pick(r.world, r.nodes...)
		if owner != "" {
			next = r.at(owner)
		}
		r.coverage["retries"]++
		r.after(backoff, func() {
			if !r.ended {
				r.attempt(next, timeout, min(2*backoff, 50*time.Millisecond))
			}
		})
	}
	r.after(timeout, func() {
		if !at.done && !r.ended {
			at.done, r.lost = true, true
			timeout *= 2
			retry("")
		}
	})
	at.deliver(to, func(resp activation.Response) {
		if at.done || r.ended {
			return
		}
		at.done = true
		r.lost = r.lost || resp.Lost
		if resp.Conflict {
			r.conflict++
		}
		if resp.Retry {
			retry(resp.Owner)
			return
		}
		r.end(resp.Value, outcome(resp.Err, r.lost))
	})
}

// outcome is as in package actors: after a lost attempt the outcome is unknown.
func outcome(err error, lost bool) error {
	e, ok := errors.AsType[*booking.Error](err)
	if !lost || !ok || e.Outcome != booking.OutcomeNotExecuted {
		return err
	}
	unknown := *e
	unknown.Outcome = booking.OutcomeUnknown
	return &unknown
}

// end returns the result to the user, unless it is lost.
func (r *request) end(value any, err error) {
	if r.ended {
		return
	}
	r.ended = true
	if r.now < faultTime && r.chance(0.02) {
		r.coverage["responses lost"]++
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
	if r.logging {
		r.logf("%s gets the result of %s: %s", r.user.name, r.describe(), result)
	}
	r.ledger.requestEnded(r, value, err)
	if b, ok := value.(booking.Booking); ok && err == nil {
		r.user.bookings = append(r.user.bookings, b.ID)
	}
}

// deliver sends an attempt to a node. A link that is silent for a while delivers it late.
func (at *attempt) deliver(to *node, back func(activation.Response)) {
	at.back = back
	w, incarnation := at.request.world, to.incarnation
	if to.down || w.now < faultTime && w.chance(w.lossRate/4) {
		return
	}
	latency := w.latency() / 4
	if w.now < faultTime && w.chance(w.lossRate/4) {
		w.coverage["requests delivered late"]++
		latency = w.between(minAttempt, 2*requestTimeout)
	}
	w.after(latency, func() {
		if to.incarnation == incarnation && !to.down {
			to.do(func() { to.handle(at) })
		}
	})
}

// respond sends the response to the user.
func (at *attempt) respond(from *node, r activation.Response) {
	w := from.world
	if w.now < faultTime && w.chance(w.lossRate/4) {
		return
	}
	w.after(w.latency()/4, func() { at.back(r) })
}
