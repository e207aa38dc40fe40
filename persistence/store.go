// Package persistence says what the service needs of its stores. Each engine has a
// package of its own below it; persistencetest holds the suites that give these
// contracts their meaning, and every engine passes them.
//
// Store is the truth: trains, what was sold, users. Holds is fast and may be
// elsewhere (Redis in clustered mode). Neither decides anything: the train's actor
// decides, and the store refuses what contradicts it.
//
// # Fencing
//
// Every write on behalf of a train names its Guard: the activation that decided it.
// Adopt makes a new activation current, and from then on every write of an earlier
// one is ErrFenced and writes nothing, also a write that was under way when Adopt
// was called (RELIABILITY.md 2).
//
// # Failure
//
// A method returns one of the sentinels below, a *booking.Error where it says so, or
// any other error. Of a write, ErrUnknown means that it may have been done; every
// other error means that it was not.
package persistence

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// The errors that a store returns, wrapped.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
	ErrFenced   = errors.New("fenced: another activation owns the train")
	// ErrConflict: the store's own guard refused what the caller decided; the caller's
	// picture of the train is wrong and must be loaded again.
	ErrConflict = errors.New("conflicts with what is stored")
	ErrFull     = errors.New("storage is full")
	ErrUnknown  = errors.New("outcome unknown")
)

// Guard names the activation on whose behalf a train is written.
type Guard struct {
	Train booking.TrainID
	Epoch int64
	Owner uuid.UUID // made anew by each activation
}

// Sale is a booking to write, with the activation that decided it.
type Sale struct {
	Guard   Guard
	Booking booking.Booking
}

// Store keeps trains, bookings, users and kept replies, durably: what a method
// acknowledged survives a crash of the process and of the machine.
type Store interface {
	Trains
	Bookings
	booking.Users
	booking.Replies

	// Ping reports whether the store can be reached and written.
	Ping(ctx context.Context) error
}

// Trains keeps trains and who owns them.
type Trains interface {
	// CreateTrain adds a train, or revives a deleted one under the same id, whose epoch
	// goes on. ErrExists when a live train has the id.
	CreateTrain(ctx context.Context, train booking.Train) error
	// ListTrains returns every live train, ordered by (CreatedAt, ID).
	ListTrains(ctx context.Context) ([]booking.Train, error)
	// Epoch returns the train's epoch. ErrNotFound when there is no live train.
	Epoch(ctx context.Context, id booking.TrainID) (int64, error)
	// Adopt makes owner's activation current: the epoch becomes seen+1, which is
	// returned. ErrFenced when it is not seen any more; ErrNotFound as Epoch.
	Adopt(ctx context.Context, id booking.TrainID, seen int64, owner uuid.UUID) (int64, error)
	// LoadTrain returns a live train, its live bookings, and those cancelled at or after
	// since. ErrNotFound as Epoch.
	LoadTrain(ctx context.Context, id booking.TrainID, since time.Time) (booking.Train, []booking.Booking, error)
	// ChangeTrain replaces name, capacity, stops, on_sale and updated_at. ErrConflict
	// when a seat above the new capacity is booked.
	ChangeTrain(ctx context.Context, guard Guard, train booking.Train) error
	// DeleteTrain marks the train deleted at the given time and, with force, cancels its
	// bookings. Its holds are a matter of Holds, though a store that is both may drop them
	// too. ErrConflict when there are live bookings and not force.
	DeleteTrain(ctx context.Context, guard Guard, at time.Time, force bool) error
}

// Bookings keeps what was sold.
type Bookings interface {
	// Book writes a batch of sales of any trains in one transaction and returns one
	// result for each, in order: nil (written, or the same live booking id was there
	// already), ErrFenced, ErrNotFound (train gone) or ErrConflict (a seat is sold on one
	// of the legs, or the booking id is there cancelled). A sale is written whole or not
	// at all, whatever becomes of the others. With a non-nil error, none was written, or
	// with ErrUnknown any.
	Book(ctx context.Context, sales []Sale) ([]error, error)
	// CancelBooking marks a booking cancelled and clears its own legs of its seats.
	// Idempotent. ErrFenced; ErrNotFound when the train has no such booking.
	CancelBooking(ctx context.Context, guard Guard, id uuid.UUID, at time.Time) error
	// FindBooking returns a booking, cancelled or not. ErrNotFound.
	FindBooking(ctx context.Context, id uuid.UUID) (booking.Booking, error)
	// BookedSeats returns for each train the number of seats booked on a leg of its
	// segment, in the order asked.
	BookedSeats(ctx context.Context, trains []booking.TrainID, segments []booking.Legs) ([]int, error)
	// UserBookings and TrainBookings list live bookings by (BookedAt, ID); a user's with
	// their trains.
	UserBookings(ctx context.Context, user uuid.UUID, page booking.PageRequest) (booking.Page[booking.BookedTrain], error)
	TrainBookings(ctx context.Context, id booking.TrainID, page booking.PageRequest) (booking.Page[booking.Booking], error)
}
