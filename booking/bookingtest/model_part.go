package bookingtest

import (
	"slices"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// some returns some seats of the ticket, nil if they are all or none. Error: not_found, also for some seats of a
// booking.
func (k *Ticket) some(seats []int) ([]int, error) {
	err := refusal(booking.CodeNotFound)
	for _, n := range seats {
		if !slices.Contains(k.Hold.Seats, n) || k.State == Booked && !sameNumbers(seats, k.Hold.Seats) {
			err.Seats = append(err.Seats, n)
		}
	}
	if len(err.Seats) > 0 {
		return nil, err
	}
	if len(seats) == len(k.Hold.Seats) { // all
		return nil, nil
	}
	return seats, nil
}

// ofPart returns the ticket that a part of a hold became; nil if it did not.
func (m *Model) ofPart(ref booking.HoldRef) *Ticket {
	for _, k := range m.ofUser(ref.User) {
		if len(ref.Seats) > 0 && k.Hold.ID == ref.Hold.Part(ref.Seats) && (k.State == Booked || k.State == Released) {
			return k
		}
	}
	return nil
}

// split makes the part that was confirmed or released a ticket of its own. The other seats are held.
func (m *Model) split(k *Ticket, part []int) {
	gone := *k
	gone.Hold.ID, gone.Hold.Seats, gone.partOf = k.Hold.ID.Part(part), part, k
	gone.State = Booked
	if k.State == Releasing {
		gone.State, gone.Sold = Released, booking.Booking{}
	}
	m.tickets = slices.DeleteFunc(m.tickets, func(o *Ticket) bool { return o.Hold.ID == gone.Hold.ID && o.State == Released })
	m.tickets = append(m.tickets, &gone)
	in := func(n int) bool { return slices.Contains(part, n) }
	gone.wanted = slices.DeleteFunc(slices.Clone(k.wanted), func(n int) bool { return !in(n) })
	k.State, k.Sold.ID = Held, uuid.UUID{}
	k.Hold.Seats = slices.DeleteFunc(slices.Clone(k.Hold.Seats), in)
	k.wanted = slices.DeleteFunc(slices.Clone(k.wanted), in)
}

// isStored reports whether the stores have a record of the hold of a ticket that was booked, if it was not
// deleted.
func (k *Ticket) isStored(stored func(*Ticket) bool) bool {
	return !k.Hold.ID.IsZero() && k.partOf == nil && stored(k)
}

// record returns the record of a held ticket. It may still have parts that were booked and of which nothing
// was cancelled.
func (m *Model) record(k *Ticket, stored func(*Ticket) bool) booking.Hold {
	h := k.Hold
	for _, part := range m.tickets {
		whole := part.Hold.ID == k.Hold.ID.Part(part.Sold.Seats)
		if part.partOf == k && part.State == Booked && whole && stored(part) {
			h.Seats = slices.Sorted(slices.Values(slices.Concat(h.Seats, part.Sold.Seats)))
		}
	}
	return h
}
