package bookingtest

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// CheckChange is SeatMap.CheckChange.
func (m *Model) CheckChange(to booking.Train, now time.Time) error {
	var taken, above []int
	for n := 1; n <= m.train.Capacity; n++ {
		if len(m.conflicting(n, 0, len(m.train.Stops)-1, now)) == 0 {
			continue
		}
		taken = append(taken, n)
		if n > to.Capacity {
			above = append(above, n)
		}
	}
	switch {
	case len(above) > 0:
		return &booking.Error{Code: booking.CodeCapacityInUse, Seats: above}
	case len(taken) > 0 && !slices.EqualFunc(m.train.Stops, to.Stops, func(a, b booking.Stop) bool {
		return strings.EqualFold(a.Station, b.Station)
	}):
		return refusal(booking.CodeHasBookings)
	}
	return nil
}

// Change is SeatMap.Change.
func (m *Model) Change(to booking.Train) { m.train = to }

// Restart simulates a crash and returns what the stores have of the train. written reports whether
// a ticket in transit was written, and stored whether the record of a booked hold has not been
// deleted yet.
func (m *Model) Restart(written, stored func(*Ticket) bool) booking.Stored {
	for _, k := range slices.Clone(m.tickets) {
		if k.InTransit() {
			m.Settle(k, written(k))
		}
	}
	s := booking.Stored{Seats: map[int]booking.Legs{}}
	for _, k := range m.tickets {
		k.wanted = nil
		sold := k.State == Booked || k.State == Cancelled
		if k.State == Booked {
			s.Bookings = append(s.Bookings, k.Sold)
			for _, n := range k.Sold.Seats {
				s.Seats[n] |= k.Sold.Legs
			}
		}
		if k.State == Held || sold && k.isStored(stored) {
			s.Holds = append(s.Holds, m.record(k, stored))
		}
		if k.State == Cancelled {
			s.Cancelled = append(s.Cancelled, k.Sold.ID)
		}
	}
	return s
}

// History returns what the stores have of a user's past, the latest holds first. The record of a
// booked hold may not have been deleted yet.
func (m *Model) History(user uuid.UUID, now time.Time, stored func(*Ticket) bool) (h booking.History) {
	for _, k := range m.latest(user) {
		sold := k.State == Booked || k.State == Cancelled
		if k.State == Cancelled {
			h.Cancelled = append(h.Cancelled, k.Sold)
		}
		if now.Before(k.Hold.ExpiresAt.Add(booking.HoldRetention)) && (!sold || k.isStored(stored)) {
			hold := k.Hold
			hold.Released = k.State == Released
			h.Holds = append(h.Holds, hold)
		}
	}
	return h
}

// latest returns the tickets of a user, those with the latest deadline first.
func (m *Model) latest(user uuid.UUID) []*Ticket {
	tickets := m.ofUser(user)
	slices.Reverse(tickets)
	slices.SortStableFunc(tickets, func(a, b *Ticket) int { return b.Hold.ExpiresAt.Compare(a.Hold.ExpiresAt) })
	return tickets
}
