package simulate

import (
	"errors"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// receive runs an attempt or lets it wait.
func (a *activation) receive(at *attempt) {
	a.do(func() {
		switch {
		case a.busy:
			if a.active != a {
				at.respond(a.node, response{retry: true})
				return
			}
			a.waiting = append(a.waiting, at)
		case !a.valid() && a.mutation != ResponseUnchecked:
			at.respond(a.node, response{retry: true})
			a.halt()
		case a.now >= at.request.called+requestTimeout: // the request has timed out
			at.respond(a.node, response{err: booking.Timeout(nil)})
		default:
			a.maybePause(func() {
				if a.busy {
					a.receive(at)
					return
				}
				a.endHolds(at.request.called)
				a.run(at)
				a.tidy()
			})
		}
	})
}

func (a *activation) run(at *attempt) {
	switch at.request.kind {
	case hold:
		a.hold(at)
	case confirm:
		a.confirm(at)
	case release:
		a.releaseHold(at)
	case cancel:
		a.cancel(at)
	case query:
		a.respond(at, a.seats.Snapshot(), nil)
	}
}

func (a *activation) hold(at *attempt) {
	wanted := at.request.hold
	if a.dropping[wanted.ID] {
		a.parked[wanted.ID] = append(a.parked[wanted.ID], at)
		return
	}
	h, made, err := a.seats.Hold(wanted, a.rules, a.at(at.request.called))
	if err != nil || !made {
		a.respond(at, h, err)
		return
	}
	a.writeHold(persistence.HoldPut, h, func(err error) {
		switch {
		case a.haltIfLost(at, err):
			return
		case err != nil:
			a.seats.HoldFailed(h.ID)
		default:
			a.seats.HoldWritten(h.ID)
		}
		a.settle(h.ID, at, h, err)
	})
}

func (a *activation) releaseHold(at *attempt) {
	ref := at.request.ref
	if a.mutation == HoldByAnyone {
		for _, h := range a.liveHolds() {
			if h.ID == ref.Hold {
				ref.User = h.User
			}
		}
	}
	h, err := a.seats.Release(ref)
	if err != nil {
		a.respond(at, nil, err)
		return
	}
	a.writeHold(persistence.HoldPut, h, func(err error) {
		switch {
		case a.haltIfLost(at, err):
			return
		case err != nil:
			a.seats.ReleaseFailed(h.ID)
		default:
			a.seats.Released(h.ID)
		}
		a.settle(h.ID, at, nil, err)
	})
}

func (a *activation) confirm(at *attempt) {
	b, id, made, err := a.seats.Confirm(at.request.ref, a.at(at.request.called))
	if err != nil || !made {
		a.respond(at, b, err)
		return
	}
	b.ID = a.newBookingID(b)
	a.inFlight++
	a.sales.add(sale{persistence.Sale{Guard: a.guard, Booking: b}, id, at.request}, func(err error) {
		a.inFlight--
		a.confirmed(at, id, b, err)
		a.closeWhenIdle()
		a.tidy()
	})
}

func (a *activation) confirmed(at *attempt, id booking.HoldID, b booking.Booking, err error) {
	switch {
	case a.haltIfLost(at, err):
		return
	case err != nil:
		a.seats.ConfirmFailed(id)
	default:
		a.seats.Booked(id, b)
		a.dropHold(id)
	}
	a.settle(id, at, b, err)
}

func (a *activation) cancel(at *attempt) {
	if err := a.seats.CheckCancel(at.request.user.id, at.request.booking); err != nil {
		a.respond(at, nil, err)
		return
	}
	now, guard := a.at(a.now), a.guard
	a.inFlight++
	call(a.node, a.postgres, func() (struct{}, error) {
		current, err := a.guardOf(guard)
		if err == nil {
			err = a.store.CancelBooking(background, current, at.request.booking, now)
		}
		if err == nil {
			a.ledger.cancelled(at.request.booking, at.request)
		}
		return struct{}{}, err
	}, func(_ struct{}, err error) {
		a.inFlight--
		if !a.haltIfLost(at, err) {
			if err == nil {
				a.seats.Cancelled(at.request.booking, now)
			}
			a.respond(at, nil, err)
		}
		a.closeWhenIdle()
		a.tidy()
	})
}

// respond responds, unless the lease term has ended.
func (a *activation) respond(at *attempt, value any, err error) {
	if inTransit, ok := errors.AsType[*booking.InTransitError](err); ok {
		a.parked[inTransit.Hold] = append(a.parked[inTransit.Hold], at)
		return
	}
	if !a.valid() && a.mutation != ResponseUnchecked {
		at.respond(a.node, response{retry: true, lost: true})
		a.halt()
		return
	}
	a.maybePause(func() { at.respond(a.node, response{value: value, err: persistence.ClientError(err)}) })
}

func (a *activation) settle(id booking.HoldID, at *attempt, value any, err error) {
	a.respond(at, value, err)
	a.unpark(id)
}

func (a *activation) haltIfLost(at *attempt, err error) bool {
	unknown := errors.Is(err, persistence.ErrUnknown)
	if !unknown && !errors.Is(err, persistence.ErrFenced) &&
		!errors.Is(err, persistence.ErrConflict) && !errors.Is(err, persistence.ErrNotFound) {
		return false
	}
	if errors.Is(err, persistence.ErrFenced) {
		a.coverage["writes fenced"]++
	}
	at.respond(a.node, response{retry: true, lost: unknown})
	a.halt()
	return true
}
