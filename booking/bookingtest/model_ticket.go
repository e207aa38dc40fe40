package bookingtest

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Confirm is SeatMap.Confirm. The ticket is confirming.
func (m *Model) Confirm(ref booking.HoldRef, now time.Time) (b booking.Booking, hold booking.HoldID, made bool, err error) {
	k, err := m.meant(ref, now)
	switch {
	case err != nil:
		return booking.Booking{}, booking.HoldID{}, false, err
	case k.State == Booked:
		return k.Sold, booking.HoldID{}, false, nil
	case k.InTransit():
		return booking.Booking{}, booking.HoldID{}, false, &booking.InTransitError{Hold: k.Hold.ID}
	}
	k.State = Confirming
	k.Sold = booking.Booking{
		ID: booking.BookingIDOf(ref.User, k.Hold.ID), Train: m.train.ID, User: ref.User,
		Legs: k.Hold.Legs, Seats: k.Hold.Seats, BookedAt: now.Truncate(time.Microsecond),
	}
	return k.Sold, k.Hold.ID, true, nil
}

// Release is SeatMap.Release. The ticket is releasing.
func (m *Model) Release(ref booking.HoldRef, now time.Time) (booking.Hold, error) {
	k, err := m.meant(ref, now)
	switch {
	case err != nil:
		return booking.Hold{}, err
	case k.State == Booked:
		return booking.Hold{}, refusal(booking.CodeSeatNotLocked)
	case k.InTransit():
		return booking.Hold{}, &booking.InTransitError{Hold: k.Hold.ID}
	}
	k.State = Releasing
	released := k.Hold
	released.Released = true
	return released, nil
}

// meant finds the live ticket that ref means. By a seat alone it is found as long as
// all that the user has, and had until not long ago, of that seat is one segment.
func (m *Model) meant(ref booking.HoldRef, now time.Time) (*Ticket, error) {
	if ref.Seat > m.train.Capacity {
		return nil, refusal(booking.CodeNotFound)
	}
	var live *Ticket
	var first *Ticket
	for _, k := range m.ofUser(ref.User) {
		if !k.counts(now) || !k.answersTo(ref) {
			continue
		}
		if first == nil {
			first = k
		}
		if ref.Hold.IsZero() && (k.from != first.from || k.to != first.to) {
			return nil, refusal(booking.CodeAmbiguousHold)
		}
		if k.Live(now) {
			live = k
		}
	}
	if live == nil {
		return nil, refusal(booking.CodeSeatNotLocked)
	}
	return live, nil
}

// answersTo reports whether ref names the ticket: by hold, by seat, or by both.
func (k *Ticket) answersTo(ref booking.HoldRef) bool {
	byHold, bySeat := !ref.Hold.IsZero(), ref.Seat != 0
	return (byHold || bySeat) &&
		(!byHold || k.Hold.ID == ref.Hold) &&
		(!bySeat || slices.Contains(k.Hold.Seats, ref.Seat))
}

// Settle is what the store answered about a ticket in transit.
func (m *Model) Settle(k *Ticket, written bool) {
	switch {
	case k.State == Pending && !written:
		m.tickets = slices.DeleteFunc(m.tickets, func(o *Ticket) bool { return o == k })
	case k.State == Confirming && written:
		k.State = Booked
	case k.State == Releasing && written:
		k.State = Released
	default:
		k.State = Held
	}
}

// Cancel is SeatMap.Cancelled.
func (m *Model) Cancel(id uuid.UUID, at time.Time) {
	for _, k := range m.tickets {
		if k.State == Booked && k.Sold.ID == id {
			k.State, k.Sold.CancelledAt = Cancelled, at
		}
	}
}
