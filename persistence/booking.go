package persistence

import (
	"fmt"
	"time"

	"trainbooking.dev/booking"
)

// BookingRow is a booking, which may be cancelled, as engines store it.
type BookingRow struct {
	booking.Booking
	Epoch int64
	// TrainRevision is that of the FormerTrain that is kept for the booking. It is zero if the booking is
	// not cancelled, or was by a version that kept none (decision 0023).
	TrainRevision int64
}

// FormerTrain is a train as it was at a revision, when a booking of it was cancelled. It never changes.
type FormerTrain struct {
	booking.Train
	Revision int64
}

// TrainVersion identifies the train of a booking: a FormerTrain, or the present one if Revision is zero.
type TrainVersion struct {
	ID       booking.TrainID
	Revision int64
}

// TrainVersion returns the train that the booking is shown with.
func (b *BookingRow) TrainVersion() TrainVersion { return TrainVersion{b.Train, b.TrainRevision} }

// WithTrains returns bookings with those of the trains that are theirs, in the same order. Bookings
// share them.
func WithTrains(rows []BookingRow, trains map[TrainVersion]*booking.Train) ([]booking.BookedTrain, error) {
	booked := make([]booking.BookedTrain, len(rows))
	for i, b := range rows {
		on := trains[b.TrainVersion()]
		if on == nil { // somebody changed the tables by hand
			return nil, fmt.Errorf("booking %s is of the train %s, which is not stored", b.ID, b.Train)
		}
		booked[i] = booking.BookedTrain{Booking: b.Booking, On: on}
		if !b.CancelledAt.IsZero() && b.TrainRevision == 0 && !unchanged(on, b.CancelledAt, b.Legs) {
			booked[i].On = nil
		}
	}
	return booked, nil
}

// unchanged reports whether the present train, on which legs were booked until a time, is still as it was
// then. It may have fewer stops, or be another one that was created with its id.
func unchanged(present *booking.Train, since time.Time, legs booking.Legs) bool {
	return !present.UpdatedAt.After(since) && present.Run().Contains(legs)
}

// BookingCursor returns the position of a booking in lists.
func BookingCursor(b BookingRow) booking.Cursor { return booking.Cursor{At: b.BookedAt, ID: b.ID} }
