package booking

import (
	"time"

	"github.com/google/uuid"
)

// Booking is a confirmed hold: seats of one train sold to one user on one segment. Once it is
// cancelled, its seats may be sold again, and it stays readable.
type Booking struct {
	ID          uuid.UUID // BookingIDOf its user and hold, or part of a hold
	Train       TrainID
	User        uuid.UUID
	Legs        Legs
	Seats       []int     // seat numbers, ascending
	BookedAt    time.Time // UTC
	CancelledAt time.Time // UTC; zero: not cancelled
	CancelledBy Canceller // "" if it is not cancelled, or was by a version that did not record it
}

// AlreadyCancelled returns the error for a booking that cannot be exchanged, because it is cancelled.
func AlreadyCancelled() *Error {
	return &Error{Code: CodeBookingCancelled, Message: "The booking is cancelled"}
}

// PartOf returns the id of the booking that some seats of a booking become when only they are cancelled.
// The seats are ascending.
func PartOf(id uuid.UUID, seats []int) uuid.UUID {
	return uuid.NewSHA1(id, appendSeats(nil, seats))
}

// State returns whether the booking is confirmed or cancelled.
func (b *Booking) State() BookingState {
	if b.CancelledAt.IsZero() {
		return BookingConfirmed
	}
	return BookingCancelled
}

// BookingState is the state of a booking.
type BookingState string

// The states of a booking. A confirmed booking may be cancelled, which is final.
const (
	BookingConfirmed BookingState = "confirmed"
	BookingCancelled BookingState = "cancelled"
)

// Canceller is who cancelled a booking.
type Canceller string

// Who cancels bookings: its user, an admin, or the deletion of its train.
const (
	ByPassenger Canceller = "passenger"
	ByAdmin     Canceller = "admin"
	ByTrain     Canceller = "train"
)

// BookedTrain is a booking with its train: as it is, or as it was when the booking was cancelled.
type BookedTrain struct {
	Booking
	// On is nil if a version that did not keep the train cancelled the booking, and the train has
	// changed since.
	On *Train
}
