package simulate

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
)

// shell runs the machine of an activation, as the actor of package actors does: it delivers events
// and executes effects, over the simulated network. The process may be paused before each.
type shell struct {
	*node
	machine  *activation.Machine
	guard    persistence.Guard // without the epoch
	offset   time.Duration     // of the wall clock at the load, since the machine needs one monotonic time
	term     *term             // nil until the lease is acquired
	renewing bool              // the lease is to be renewed
	awaiting bool              // the end of the lease of another process
	timer    time.Duration     // of the last SetTimer
}

// term is a lease term. It ends at a true time.
type term struct {
	until  time.Duration
	offset time.Duration
}

func (t *term) Valid(now time.Time) bool { return now.Sub(startTime)-t.offset < t.until }

func (*term) Shared() bool { return true }

func (t *term) extend(sent time.Duration) {
	t.until = sent + persistence.LeaseTTL - persistence.LeaseMargin
}

func (n *node) activate() {
	n.coverage["activations"]++
	guard := persistence.Guard{Train: n.train.ID, Owner: n.uuid()}
	n.active = &shell{node: n, guard: guard, offset: n.wall, machine: activation.New(activation.Options{
		Guard: guard, Rules: n.rules, Handoff: n.handoff,
	})}
	n.active.deliver(activation.Start{})
}

func (a *shell) lease() persistence.Lease {
	return persistence.Lease{Train: a.guard.Train, Address: a.address, Owner: a.guard.Owner}
}

// at converts a true time to the time of the machine.
func (a *shell) at(t time.Duration) time.Time { return startTime.Add(t + a.offset) }

func (a *shell) deliver(e activation.Event) {
	a.do(func() { a.execute(slices.Clone(a.machine.Handle(a.at(a.now), e))) })
	if _, stop := e.(activation.Stop); stop && a.awaiting {
		a.awaiting = false
		a.deliver(activation.LeaseAcquired{Err: context.Canceled})
	}
}

// execute executes effects in their order.
func (a *shell) execute(effects []activation.Effect) {
	if len(effects) == 0 {
		return
	}
	a.maybePause(func() {
		a.executeOne(effects[0])
		a.execute(effects[1:])
	})
}

func (a *shell) executeOne(e activation.Effect) {
	switch e := e.(type) {
	case activation.Reply:
		e.To.Respond(e.Response)
	case activation.Announce:
		e.To.Respond(activation.Response{Value: e.Train})
	case *activation.WriteHold:
		a.holds.add(e.HoldWrite, a.written(e))
	case *activation.WriteSale:
		a.sales.add(sale{e.Sale, requestOf(e)}, a.written(e))
	case *activation.WriteCancellation:
		a.write(e, func() error { return a.cancel(e) })
	case *activation.WriteChange:
		a.write(e, func() error { return a.change(e) })
	case *activation.ReadHistory:
		a.readHistory(e)
	case activation.SetTimer:
		a.setTimer(e.At.Sub(startTime) - a.offset)
	case activation.Report:
		a.coverage["event: "+string(e.Occurrence)] += e.Count
		a.logf("%s: %s (%d) %v", a.address, e.Occurrence, e.Count, e.Err)
	case activation.Close:
		a.close(e)
	case activation.Publish:
		a.ledger.checkSnapshot(e.Snapshot)
	default:
		a.load(e)
	}
}

// load executes a step of the load, or its end.
func (a *shell) load(e activation.Effect) {
	switch e := e.(type) {
	case activation.FindEpoch:
		call(a.node, a.postgres, func() (int64, error) { return persistencetest.Epoch(background, a.store, a.guard.Train) },
			func(epoch int64, err error) { a.deliver(activation.EpochFound{Epoch: epoch, Err: err}) })
	case activation.AcquireLease:
		a.acquire(true)
	case activation.Adopt:
		call(a.node, a.postgres, func() (int64, error) { return a.adopt(e) },
			func(epoch int64, err error) { a.deliver(activation.Adopted{Epoch: epoch, Err: err}) })
	case activation.ReadHolds:
		call(a.node, a.redis, func() ([]booking.Hold, error) {
			if a.mutation == HoldsForgotten {
				return nil, nil
			}
			return persistencetest.LoadHolds(background, a.client, a.guard.Train, a.at(a.now))
		}, func(holds []booking.Hold, err error) { a.deliver(activation.HoldsRead{Holds: holds, Err: err}) })
	case activation.ReadTrain:
		call(a.node, a.postgres, func() (persistence.LoadedTrain, error) {
			return persistencetest.LoadTrain(background, a.store, a.guard.Train, e.Became)
		}, func(l persistence.LoadedTrain, err error) { a.deliver(activation.TrainRead{Train: l, Err: err}) })
	case activation.Serve:
		a.coverage["takeovers"]++
		a.logf("%s owns the train", a.address)
	}
}

// acquire acquires the lease as package cluster does.
func (a *shell) acquire(first bool) {
	sent := a.now
	acquired := func(holder persistence.Holder, err error) {
		switch {
		case err == nil && holder.Lease == a.lease():
			a.term = &term{offset: a.offset}
			a.term.extend(sent)
			a.renewing = true
			a.deliver(activation.LeaseAcquired{Term: a.term})
		case err == nil && holder.Address == a.address && first:
			a.release(holder.Lease, func(err error) {
				if err != nil {
					a.notAcquired(err)
					return
				}
				a.acquire(false)
			})
		case err == nil && a.chance(0.5): // it considers the holder a member
			a.deliver(activation.LeaseAcquired{Owner: holder.Address})
		case err == nil:
			a.awaitLease(holder.Left)
		default:
			a.notAcquired(err)
		}
	}
	call(a.node, a.redis, func() (persistence.Holder, error) {
		holders, err := a.client.AcquireLeases(background, []persistence.Lease{a.lease()})
		return holders[0].Value, errors.Join(err, holders[0].Err)
	}, func(holder persistence.Holder, err error) {
		if !errors.Is(err, persistence.ErrUnknown) {
			acquired(holder, err)
			return
		}
		call(a.node, a.redis, func() (persistence.Holder, error) {
			if found, held := a.shared.Holder(a.guard.Train); held {
				return persistence.Holder{Lease: found, Left: persistence.LeaseTTL}, nil
			}
			return holder, err
		}, acquired)
	})
}

// awaitLease waits until a lease has expired that is not renewed, and then acquires it. The epoch that
// was found before is not read again.
func (a *shell) awaitLease(left time.Duration) {
	a.coverage["leases awaited"]++
	a.awaiting = true
	a.after(left+10*time.Millisecond, func() {
		if a.awaiting {
			a.awaiting = false
			a.acquire(true)
		}
	})
}

// notAcquired releases the lease, which may have been acquired.
func (a *shell) notAcquired(err error) {
	a.release(a.lease(), func(error) {})
	a.deliver(activation.LeaseAcquired{Err: err})
}

func (a *shell) release(lease persistence.Lease, done func(error)) {
	call(a.node, a.redis, func() (struct{}, error) {
		if a.mutation == LeaseByAnyone {
			lease, _ = a.shared.Holder(a.guard.Train)
		}
		return struct{}{}, persistencetest.ReleaseLease(background, a.client, lease)
	}, func(_ struct{}, err error) { done(err) })
}

func (a *shell) adopt(e activation.Adopt) (epoch int64, err error) {
	if a.mutation == TokenFromRedis {
		a.token.counter++
		epoch = a.token.counter
	} else {
		epoch, err = persistencetest.Adopt(background, a.store, e.Guard.Train, e.Old, e.Guard.Owner)
	}
	if err == nil {
		a.ledger.adopted(epoch)
	}
	return epoch, err
}

func (a *shell) written(w activation.Write) func(error) {
	return func(err error) { a.deliver(activation.Written{Write: w, Err: err}) }
}

// write executes a write in Postgres.
func (a *shell) write(w activation.Write, exec func() error) {
	call(a.node, a.postgres, func() (struct{}, error) { return struct{}{}, exec() },
		func(_ struct{}, err error) { a.written(w)(err) })
}

func (a *shell) cancel(e *activation.WriteCancellation) error {
	guard, err := a.guardOf(e.Guard)
	if err == nil {
		err = a.store.CancelBooking(background, guard, e.Booking, e.At, e.By) // no user cancels a part
	}
	if err == nil {
		a.ledger.cancelled(e.Booking, requestOf(e))
	}
	return err
}

func (a *shell) change(e *activation.WriteChange) error {
	guard, err := a.guardOf(e.Guard)
	if err != nil {
		return err
	}
	return a.store.ChangeTrain(background, guard, e.To)
}

func (a *shell) readHistory(e *activation.ReadHistory) {
	var history booking.History
	call(a.node, a.redis, func() ([]booking.Hold, error) {
		return a.client.UserHolds(background, a.guard.Train, e.User, a.at(a.now))
	}, func(holds []booking.Hold, err error) {
		if err != nil {
			a.deliver(activation.HistoryRead{Of: e, Err: err})
			return
		}
		history.Holds = holds
		call(a.node, a.postgres, func() ([]booking.Booking, error) {
			return a.store.CancelledBookings(background, a.guard.Train, e.User)
		}, func(cancelled []booking.Booking, err error) {
			history.Cancelled = cancelled
			a.deliver(activation.HistoryRead{Of: e, History: history, Err: err})
		})
	})
}

func (a *shell) setTimer(at time.Duration) {
	a.timer = at
	if at > faultTime+healTime+calmTime { // the run is over
		return
	}
	a.after(max(0, at-a.now), func() {
		if a.timer == at && a.active == a {
			a.deliver(activation.Tick{At: a.at(a.now)})
		}
	})
}

// leaseLost ends the term early.
func (a *shell) leaseLost() {
	a.term.until, a.renewing = 0, false
	a.deliver(activation.LeaseLost{})
}

func (a *shell) close(c activation.Close) {
	if c.Handoff != nil {
		a.handoff = *c.Handoff
	}
	a.renewing = false
	if a.term == nil {
		a.closed(c)
		return
	}
	a.term.until = 0
	const releases = 3
	a.releaseWithin(releases, func() { a.closed(c) })
}

func (a *shell) releaseWithin(tries int, done func()) {
	a.release(a.lease(), func(err error) {
		if err == nil || tries == 1 {
			done()
			return
		}
		a.after(250*time.Millisecond, func() { a.releaseWithin(tries-1, done) })
	})
}

func (a *shell) closed(c activation.Close) {
	if a.active == a {
		a.active = nil
	}
	for _, r := range c.Waiting {
		r.Respond(activation.Response{Retry: true})
	}
	if c.Reactivate && a.active == nil && a.chance(0.5) {
		a.activate() // otherwise another node may activate the train
	}
}

// attemptContext is the context of an attempt. It ends when nobody waits for it any more.
type attemptContext struct {
	context.Context
	attempt *attempt
}

func (c attemptContext) Err() error {
	if r := c.attempt.request; r.now >= c.attempt.expires || r.now >= r.called+requestTimeout {
		return context.DeadlineExceeded
	}
	return nil
}

// requestOf returns the request that a write is for.
func requestOf(w activation.Write) *request { return w.For().Context.(attemptContext).attempt.request }

// receive delivers an attempt to the machine.
func (a *shell) receive(at *attempt) {
	r := at.request
	a.deliver(activation.Arrived{Request: &activation.Request{
		Context: attemptContext{background, at}, Command: r.command(), Arrived: a.at(r.called),
		Lost: at.lost, Conflicts: at.conflicts,
		Respond: func(response activation.Response) { at.respond(a.node, response) },
	}})
}

// command returns the command of the request.
func (r *request) command() activation.Command {
	switch r.kind {
	case hold:
		return activation.Hold{HoldRequest: r.hold}
	case confirm:
		return activation.Confirm{HoldRef: r.ref}
	case extend:
		return activation.Extend{HoldRef: r.ref}
	case release:
		return activation.Release{HoldRef: r.ref}
	case cancel:
		return activation.Cancel{User: r.user.id, ID: r.booking, By: booking.ByPassenger}
	case change:
	}
	return activation.Change{To: r.train}
}

// bookingID is the id of the booking that a hold becomes.
func bookingID(user *user, id booking.HoldID) uuid.UUID { return booking.BookingIDOf(user.id, id) }
