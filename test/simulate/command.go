package simulate

import (
	"errors"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// take runs an attempt, or lets it wait.
func (a *activation) take(at *attempt) {
	a.do(func() {
		switch {
		case a.busy:
			if a.active != a {
				at.answer(a.node, reply{retry: true})
				return
			}
			a.waiting = append(a.waiting, at)
		case !a.valid() && a.mutation != ReplyUnchecked:
			at.answer(a.node, reply{retry: true})
			a.halt()
		case a.now >= at.request.called+askTimeout: // nobody waits for the answer any more
			at.answer(a.node, reply{err: booking.Timeout(nil)})
		default:
			a.stall(func() {
				if a.busy {
					a.take(at)
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
	case see:
		a.answer(at, a.seats.Snapshot(), nil)
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
		a.answer(at, h, err)
		return
	}
	a.writeHold(persistence.HoldPut, h, func(err error) {
		switch {
		case a.lost(at, err):
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
		a.answer(at, nil, err)
		return
	}
	a.writeHold(persistence.HoldPut, h, func(err error) {
		switch {
		case a.lost(at, err):
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
		a.answer(at, b, err)
		return
	}
	b.ID = a.newBookingID(b)
	a.inFlight++
	a.sales.add(sale{persistence.Sale{Guard: a.guard, Booking: b}, id, at.request}, func(err error) {
		a.inFlight--
		a.confirmed(at, id, b, err)
		a.advance()
		a.tidy()
	})
}

func (a *activation) confirmed(at *attempt, id booking.HoldID, b booking.Booking, err error) {
	switch {
	case a.lost(at, err):
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
	if _, err := a.seats.Cancel(at.request.user.id, at.request.booking); err != nil {
		a.answer(at, nil, err)
		return
	}
	now, guard := a.at(a.now), a.guard
	a.inFlight++
	call(a.node, a.postgres, func() (struct{}, error) {
		judged, err := a.guardOf(guard)
		if err == nil {
			err = a.store.CancelBooking(background, judged, at.request.booking, now)
		}
		if err == nil {
			a.ledger.cancelled(at.request.booking, at.request)
		}
		return struct{}{}, err
	}, func(_ struct{}, err error) {
		a.inFlight--
		if !a.lost(at, err) {
			if err == nil {
				a.seats.Cancelled(at.request.booking, now)
			}
			a.answer(at, nil, err)
		}
		a.advance()
		a.tidy()
	})
}

// answer replies, unless the lease has ended meanwhile.
func (a *activation) answer(at *attempt, value any, err error) {
	if transit, ok := errors.AsType[*booking.InTransitError](err); ok {
		a.parked[transit.Hold] = append(a.parked[transit.Hold], at)
		return
	}
	if !a.valid() && a.mutation != ReplyUnchecked {
		at.answer(a.node, reply{retry: true, lost: true})
		a.halt()
		return
	}
	a.stall(func() { at.answer(a.node, reply{value: value, err: persistence.ClientError(err)}) })
}

func (a *activation) settle(id booking.HoldID, at *attempt, value any, err error) {
	a.answer(at, value, err)
	a.unpark(id)
}

func (a *activation) lost(at *attempt, err error) bool {
	unknown := errors.Is(err, persistence.ErrUnknown)
	if !unknown && !errors.Is(err, persistence.ErrFenced) &&
		!errors.Is(err, persistence.ErrConflict) && !errors.Is(err, persistence.ErrNotFound) {
		return false
	}
	if errors.Is(err, persistence.ErrFenced) {
		a.coverage["writes fenced"]++
	}
	at.answer(a.node, reply{retry: true, lost: unknown})
	a.halt()
	return true
}
