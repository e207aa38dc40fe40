package persistence

import (
	"slices"

	"trainbooking.dev/booking"
)

// SplitBooking returns some seats of a live booking as a booking of their own, and the rest. ok is false
// if the booking is cancelled, or does not have all of these seats and others.
func SplitBooking(b booking.Booking, seats []int) (part, rest booking.Booking, ok bool) {
	part, rest = b, b
	part.ID, part.Seats = booking.PartOf(b.ID, seats), seats
	rest.Seats = slices.DeleteFunc(slices.Clone(b.Seats), func(n int) bool { return slices.Contains(seats, n) })
	return part, rest, b.CancelledAt.IsZero() && len(rest.Seats) > 0 && len(rest.Seats)+len(seats) == len(b.Seats)
}
