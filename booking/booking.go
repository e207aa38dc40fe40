package booking

import (
	"time"

	"github.com/google/uuid"
)

// Booking is a confirmed hold: seats of one train sold to one user on one segment.
type Booking struct {
	ID          uuid.UUID // BookingIDOf its user and hold
	Train       TrainID
	User        uuid.UUID
	Legs        Legs
	Seats       []int     // seat numbers, ascending
	BookedAt    time.Time // UTC
	CancelledAt time.Time // UTC; zero: not cancelled
}

// BookedTrain is a booking with its train.
type BookedTrain struct {
	Booking
	On *Train
}
