package bookingtest

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Ticket is the history of one hold.
type Ticket struct {
	Hold  booking.Hold    // as returned to the user
	Sold  booking.Booking // as decided by Confirm, or zero
	State TicketState

	from, to int          // positions of stops
	part     []int        // the seats that are confirming or releasing; nil: all
	partOf   *Ticket      // of a part that was confirmed or released: the others
	wanted   []int        // seats that somebody else was refused
	extended booking.Hold // while it is extending
	released time.Time    // when the release was decided
}

// TicketState is the state of a ticket.
type TicketState string

// The states of a ticket. A held ticket ends at its deadline without a change of state.
const (
	Pending    TicketState = "pending" // the write of the hold is in flight
	Held       TicketState = "held"
	Confirming TicketState = "confirming" // the write of the booking is in flight
	Releasing  TicketState = "releasing"  // the write of the release is in flight
	Extending  TicketState = "extending"  // the write of the extension is in flight
	Booked     TicketState = "booked"
	Released   TicketState = "released"
	Cancelled  TicketState = "cancelled" // at Sold.CancelledAt
)

// Live reports whether the ticket keeps its seats at now: a held ticket before its deadline, a
// ticket in transit even after it.
func (k *Ticket) Live(now time.Time) bool {
	switch k.State {
	case Held:
		return now.Before(k.Hold.ExpiresAt)
	case Pending, Confirming, Releasing, Extending, Booked:
		return true
	case Released, Cancelled:
	}
	return false
}

// Holding reports whether the ticket is live and not booked.
func (k *Ticket) Holding(now time.Time) bool { return k.Live(now) && k.State != Booked }

// InTransit reports whether a write of the ticket is in flight.
func (k *Ticket) InTransit() bool {
	return k.State == Pending || k.State == Confirming || k.State == Releasing || k.State == Extending
}

// kept reports whether the ticket is live or ended less than booking.HoldRetention ago.
func (k *Ticket) kept(now time.Time) bool {
	ended := k.Hold.ExpiresAt
	if k.State == Cancelled {
		ended = k.Sold.CancelledAt
	}
	return k.Live(now) || now.Before(ended.Add(booking.HoldRetention))
}

func (k *Ticket) on(seat, leg int) bool {
	return slices.Contains(k.Hold.Seats, seat) && k.from <= leg && leg < k.to
}

// matches reports whether ref refers to the ticket: by hold, by seat, or by both.
func (k *Ticket) matches(ref booking.HoldRef) bool {
	byHold, bySeat := !ref.Hold.IsZero(), ref.Seat != 0
	return (byHold || bySeat) &&
		(!byHold || k.Hold.ID == ref.Hold) &&
		(!bySeat || slices.Contains(k.Hold.Seats, ref.Seat))
}

// Settle ends the transit of a ticket; written is the result of the write.
func (m *Model) Settle(k *Ticket, written bool) {
	part := k.part
	k.part = nil
	switch {
	case part != nil && written:
		m.split(k, part)
	case k.State == Pending && !written:
		m.tickets = slices.DeleteFunc(m.tickets, func(o *Ticket) bool { return o == k })
	case k.State == Confirming && written:
		k.State = Booked
	case k.State == Releasing && written:
		k.State = Released
	case k.State == Extending && written:
		k.State, k.Hold = Held, k.extended
	default:
		k.State = Held
	}
}

// Cancel is SeatMap.Cancelled. Seats that are cancelled alone get a ticket without a hold.
func (m *Model) Cancel(id uuid.UUID, at time.Time, seats ...int) {
	for _, k := range m.tickets {
		if k.State != Booked || k.Sold.ID != id {
			continue
		}
		if len(seats) == 0 || len(seats) == len(k.Sold.Seats) {
			k.State, k.Sold.CancelledAt = Cancelled, at
			return
		}
		part := *k
		part.Hold.ID, part.Hold.Seats = booking.HoldID{}, seats
		part.Sold.ID, part.Sold.Seats = booking.PartOf(id, seats), seats
		part.State, part.Sold.CancelledAt = Cancelled, at
		k.Sold.Seats = slices.DeleteFunc(slices.Clone(k.Sold.Seats), func(n int) bool { return slices.Contains(seats, n) })
		k.Hold.Seats = k.Sold.Seats
		m.tickets = append(m.tickets, &part)
		return
	}
}
