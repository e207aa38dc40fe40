package bookingtest

import (
	"slices"
	"time"

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
	case len(taken) > 0 && !slices.Equal(m.train.Stops, to.Stops):
		return refusal(booking.CodeHasBookings)
	}
	return nil
}

// Change is SeatMap.Change.
func (m *Model) Change(to booking.Train) { m.train = to }

// Restart simulates a crash and returns what the stores kept, for SeatMap.Restore: live
// bookings, those cancelled within booking.HoldRetention, and holds until
// booking.HoldRetention after their deadline. written reports whether a ticket in transit was
// written, and stored whether the record of a booked hold has not been deleted yet.
func (m *Model) Restart(now time.Time, written, stored func(*Ticket) bool) (
	bookings []booking.Booking, holds []booking.Hold,
) {
	for _, k := range slices.Clone(m.tickets) {
		if k.InTransit() {
			m.Settle(k, written(k))
		}
	}
	for _, k := range m.tickets {
		if !k.kept(now) {
			continue
		}
		sold := k.State == Booked || k.State == Cancelled
		if sold {
			bookings = append(bookings, k.Sold)
		}
		if !sold || stored(k) {
			record := k.Hold
			record.Released = k.State == Released
			holds = append(holds, record)
		}
	}
	return bookings, holds
}
