package simulate

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// activation is a model of an activation in package actors.
type activation struct {
	*node
	guard    persistence.Guard
	offset   time.Duration // of the wall clock at the load, since the seat map needs one monotonic time
	seats    *booking.SeatMap
	until    time.Duration // of the lease term
	renewing bool          // the lease is to be renewed
	acquired bool          // the lease is to be released

	inFlight int
	busy     bool // loading or halting
	halting  bool
	waiting  []*attempt
	parked   map[booking.HoldID][]*attempt
	dropping map[booking.HoldID]bool
	timerAt  time.Duration // 0: none
}

func newActivation(n *node) *activation {
	return &activation{
		node: n, busy: true, parked: map[booking.HoldID][]*attempt{}, dropping: map[booking.HoldID]bool{},
		guard: persistence.Guard{Train: n.train.ID, Owner: n.uuid()},
	}
}

func (a *activation) lease() persistence.Lease {
	return persistence.Lease{Train: a.guard.Train, Address: a.address, Owner: a.guard.Owner}
}

// at converts a true time to the time of the seat map.
func (a *activation) at(t time.Duration) time.Time { return startTime.Add(t + a.offset) }

func (a *activation) valid() bool { return a.now < a.until }

func (a *activation) grant(sent time.Duration) {
	a.until = sent + persistence.LeaseTTL - persistence.LeaseMargin
}

// load reads the epoch before it acquires the lease, and adopts before it reads the rest.
func (a *activation) load() {
	call(a.node, a.postgres, func() (int64, error) { return a.store.Epoch(background, a.guard.Train) },
		func(oldEpoch int64, err error) {
			if err != nil {
				a.loadFailed(err)
				return
			}
			a.acquire(oldEpoch, true)
		})
}

func (a *activation) acquire(oldEpoch int64, first bool) {
	sent := a.now
	got := func(holder persistence.Lease, err error) {
		switch {
		case err == nil && holder == a.lease():
			a.grant(sent)
			a.renewing, a.acquired = true, true
			a.adopt(oldEpoch)
		case err == nil && holder.Address == a.address && first:
			a.release(holder, func(err error) {
				if err != nil {
					a.releaseAndFail(err)
					return
				}
				a.acquire(oldEpoch, false)
			})
		case err == nil:
			a.moved(holder.Address)
		default:
			a.releaseAndFail(err)
		}
	}
	call(a.node, a.redis, func() (persistence.Lease, error) { return a.client.AcquireLease(background, a.lease()) },
		func(holder persistence.Lease, err error) {
			if !errors.Is(err, persistence.ErrUnknown) {
				got(holder, err)
				return
			}
			call(a.node, a.redis, func() (persistence.Lease, error) {
				if found, held := a.shared.Holder(a.guard.Train); held {
					return found, nil
				}
				return holder, err
			}, got)
		})
}

// releaseAndFail fails the load. It releases the lease, which may have been acquired.
func (a *activation) releaseAndFail(err error) {
	a.release(a.lease(), func(error) {})
	a.loadFailed(err)
}

func (a *activation) release(lease persistence.Lease, done func(error)) {
	call(a.node, a.redis, func() (struct{}, error) {
		if a.mutation == LeaseByAnyone {
			lease, _ = a.shared.Holder(a.guard.Train)
		}
		return struct{}{}, a.client.ReleaseLease(background, lease)
	}, func(_ struct{}, err error) { done(err) })
}

func (a *activation) adopt(oldEpoch int64) {
	if a.mutation == TokenFromRedis {
		a.adoptToken()
		return
	}
	call(a.node, a.postgres, func() (int64, error) {
		epoch, err := a.store.Adopt(background, a.guard.Train, oldEpoch, a.guard.Owner)
		if err == nil {
			a.ledger.adopted(epoch)
		}
		return epoch, err
	}, func(epoch int64, err error) {
		if err != nil {
			a.loadFailed(err)
			return
		}
		a.guard.Epoch = epoch
		a.read(oldEpoch)
	})
}

func (a *activation) adoptToken() {
	call(a.node, a.redis, func() (int64, error) {
		a.token.counter++
		return a.token.counter, nil
	}, func(token int64, err error) {
		if err != nil {
			a.loadFailed(err)
			return
		}
		a.ledger.adopted(token)
		a.guard.Epoch = token
		a.read(token - 1)
	})
}

// read loads the train from the stores, and the handoff of the last activation if no other one
// was adopted in between.
func (a *activation) read(oldEpoch int64) {
	a.offset = a.wall
	var handedOff []booking.Hold
	if a.handoff.epoch == oldEpoch {
		handedOff = a.handoff.holds
	}
	type loaded struct {
		train    booking.Train
		bookings []booking.Booking
	}
	call(a.node, a.postgres, func() (l loaded, err error) {
		since := a.at(a.now).Add(-booking.HoldRetention - a.rules.TTL)
		l.train, l.bookings, err = a.store.LoadTrain(background, a.guard.Train, since)
		return l, err
	}, func(l loaded, err error) {
		if err != nil {
			a.loadFailed(err)
			return
		}
		call(a.node, a.redis, func() ([]booking.Hold, error) {
			if a.mutation == HoldsForgotten {
				return nil, nil
			}
			return a.client.LoadHolds(background, a.guard.Train, a.at(a.now))
		}, func(holds []booking.Hold, err error) {
			if err == nil && !a.valid() {
				err = persistence.ErrFenced
			}
			if err != nil {
				a.loadFailed(err)
				return
			}
			a.loaded(l.train, l.bookings, holds, handedOff)
		})
	})
}

func (a *activation) loaded(train booking.Train, bookings []booking.Booking, holds, handedOff []booking.Hold) {
	var unstored []booking.Hold
	for _, h := range handedOff {
		if !slices.ContainsFunc(holds, func(o booking.Hold) bool { return o.ID == h.ID }) {
			unstored = append(unstored, h)
		}
	}
	a.seats = booking.NewSeatMap(train)
	shortened := a.seats.Restore(bookings, append(holds, unstored...), a.rules.TTL, a.at(a.now))
	a.logf("%s owns the train with epoch %d: %d bookings, %d holds, %d handed off, %d shortened",
		a.address, a.guard.Epoch, len(bookings), len(a.seats.LiveHolds()), len(unstored), len(shortened))
	a.coverage["takeovers"]++
	a.coverage["holds handed off after Redis lost them"] += len(unstored)
	unstored = slices.DeleteFunc(unstored, func(h booking.Hold) bool {
		_, live := a.seats.Phase(h.ID)
		return !live
	})
	a.storeAgain(append(unstored, shortened...))
}

// storeAgain writes the holds that Redis does not have in this form, before any request is
// served.
func (a *activation) storeAgain(unstored []booking.Hold) {
	if len(unstored) == 0 {
		a.serve()
		return
	}
	writes := make([]persistence.HoldWrite, len(unstored))
	for i, h := range unstored {
		writes[i] = persistence.HoldWrite{Guard: a.guard, Op: persistence.HoldPut, Hold: h}
	}
	a.writeHolds(writes, func(results []error, err error) {
		if err = errors.Join(append(results, err)...); err == nil && !a.valid() {
			err = persistence.ErrFenced
		}
		if err != nil {
			a.seats = nil // keep the handoff
			a.loadFailed(err)
			return
		}
		a.serve()
	})
}

func (a *activation) serve() {
	a.busy = a.halting
	waiting := a.waiting
	a.waiting = nil
	for _, at := range waiting {
		a.receive(at)
	}
	a.tidy()
	a.closeWhenIdle()
}

func (a *activation) moved(address string) {
	for _, at := range a.waiting {
		at.respond(a.node, response{retry: true, owner: address})
	}
	a.waiting = nil
	a.halt()
}

func (a *activation) loadFailed(err error) {
	a.logf("%s could not load: %v", a.address, err)
	r := response{err: booking.Unavailable(booking.OutcomeNotExecuted, time.Second, err)}
	if errors.Is(err, persistence.ErrFenced) || errors.Is(err, persistence.ErrConflict) {
		r = response{retry: true}
	}
	for _, at := range a.waiting {
		at.respond(a.node, r)
	}
	a.waiting = nil
	a.halt()
}

// leaseEnded halts an activation that lost its lease.
func (a *activation) leaseEnded() {
	a.until, a.renewing = 0, false
	if a.active == a {
		a.halt()
	}
}

func (a *activation) halt() {
	a.busy, a.halting = true, true
	a.closeWhenIdle()
}

// closeWhenIdle closes a halting activation once nothing is in flight.
func (a *activation) closeWhenIdle() {
	if !a.halting || a.inFlight > 0 || a.active != a {
		return
	}
	a.inFlight = -1 // once
	for _, parked := range a.inOrder() {
		a.waiting = append(a.waiting, parked...)
	}
	if a.seats != nil {
		a.handoff = handoff{a.guard.Epoch, a.liveHolds()}
	}
	a.renewing = false
	a.until = 0
	if !a.acquired {
		a.finish()
		return
	}
	a.releaseWithin(3)
}

func (a *activation) releaseWithin(tries int) {
	a.release(a.lease(), func(err error) {
		if err == nil || tries == 1 {
			a.finish()
			return
		}
		a.after(250*time.Millisecond, func() { a.releaseWithin(tries - 1) })
	})
}

func (a *activation) finish() {
	if a.active == a {
		a.active = nil
	}
	for _, at := range a.waiting {
		at.respond(a.node, response{retry: true})
	}
	a.waiting = nil
	if a.seats != nil && a.seats.HasHolds() && a.active == nil && a.chance(0.5) {
		a.activate() // otherwise another node may activate the train
	}
}

// inOrder returns the parked attempts in a deterministic order.
func (a *activation) inOrder() (all [][]*attempt) {
	var ids []booking.HoldID
	for id := range a.parked {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(x, y booking.HoldID) int { return bytes.Compare(x[:], y[:]) })
	for _, id := range ids {
		all = append(all, a.parked[id])
	}
	return all
}

func (a *activation) liveHolds() []booking.Hold {
	holds := a.seats.LiveHolds()
	slices.SortFunc(holds, func(x, y booking.Hold) int { return bytes.Compare(x.ID[:], y.ID[:]) })
	return holds
}

// tidy drops superseded holds and sets the timer.
func (a *activation) tidy() {
	if a.busy {
		return
	}
	for _, e := range a.seats.TakeSuperseded() {
		if a.seats.IsSuperseded(e) {
			a.dropHold(e.ID)
		}
	}
	next, ok := a.seats.NextDeadline()
	at := next.Sub(startTime) - a.offset
	if !ok || a.timerAt != 0 && at >= a.timerAt || at > faultTime+healTime+calmTime {
		return
	}
	a.timerAt = at
	a.after(max(0, at-a.now), func() {
		if a.timerAt == at && a.active == a {
			a.timerAt = 0
			a.endHolds(a.now)
			a.tidy()
		}
	})
}

func (a *activation) endHolds(now time.Duration) {
	if a.busy {
		return
	}
	if a.mutation == EarlyExpiry {
		now += early
	}
	a.coverage["holds ended"] += a.seats.Expire(a.at(now))
}

func (a *activation) writeHold(op persistence.HoldOp, h booking.Hold, then func(error)) {
	a.inFlight++
	a.holds.add(persistence.HoldWrite{Guard: a.guard, Op: op, Hold: h}, func(err error) {
		a.inFlight--
		then(err)
		a.closeWhenIdle()
		a.tidy()
	})
}

func (a *activation) dropHold(id booking.HoldID) {
	a.dropping[id] = true
	a.writeHold(persistence.HoldDrop, booking.Hold{ID: id}, func(err error) {
		delete(a.dropping, id)
		if errors.Is(err, persistence.ErrUnknown) {
			a.halt()
		}
		a.unpark(id)
	})
}

func (a *activation) rewriteHolds() {
	if a.seats == nil || a.halting {
		return
	}
	for _, h := range a.liveHolds() {
		if phase, _ := a.seats.Phase(h.ID); phase == booking.PhaseHeld {
			a.writeHold(persistence.HoldPut, h, func(err error) {
				if errors.Is(err, persistence.ErrFenced) || errors.Is(err, persistence.ErrUnknown) {
					a.halt()
				}
			})
		}
	}
}

func (a *activation) unpark(id booking.HoldID) {
	parked := a.parked[id]
	delete(a.parked, id)
	for _, at := range parked {
		a.receive(at)
	}
}

// newBookingID returns the booking id, which NewBookingID replaces by a random one.
func (a *activation) newBookingID(b booking.Booking) uuid.UUID {
	if a.mutation == NewBookingID {
		return a.uuid()
	}
	return b.ID
}
