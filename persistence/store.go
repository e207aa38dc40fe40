// Package persistence defines the interfaces of the service's stores. Each engine has a
// package below it and passes the conformance suites of package persistencetest.
//
// Store is the authority for trains, bookings and users. Holds is fast and may be
// a different engine (Redis in clustered mode). The train's actor decides every request;
// a store refuses a write that contradicts its data.
//
// # Fencing
//
// Every write on behalf of a train carries a Guard: the activation that decided it.
// Adopt makes a new activation current. From then on every write of an earlier
// activation returns ErrFenced and writes nothing, even if it was in flight when Adopt
// was called (RELIABILITY.md 2).
//
// # Failure
//
// A method returns one of the sentinel errors, a *booking.Error where that is documented, or
// any other error. ErrUnknown means that a write may have been executed; every other
// error means that it was not. A write that carries a Guard does not wait long for somebody
// else's lock, but returns ErrLocked; its caller repeats it. A method that takes many items returns
// one result per item, in order, and the error of one does not affect the others; the error of the
// call is that of all.
package persistence

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Result is the result of one of the items of a call: a value or an error.
type Result[T any] struct {
	Value T
	Err   error
}

// Guard identifies the activation on whose behalf a train is written.
type Guard struct {
	Train booking.TrainID
	Epoch int64
	Owner uuid.UUID // random for each activation
}

// Sale is a booking to write, and the activation that decided it.
type Sale struct {
	Guard   Guard
	Booking booking.Booking
}

// Exchange is a sale that takes the place of a live booking of the same user, of the same train or
// another one.
type Exchange struct {
	Sale
	OldTrain booking.TrainID
	Old      uuid.UUID
}

// Store stores trains, schedules, bookings, users and replies. It is durable: what a method has
// acknowledged survives a crash of the process and of the machine. It is safe for concurrent
// use.
type Store interface {
	Trains
	Schedules
	Bookings
	booking.Users
	booking.Replies

	// Ping returns an error if the store cannot be reached or written.
	Ping(ctx context.Context) error
}

// Trains stores trains and their owners.
type Trains interface {
	Catalogue
	// CreateTrain adds a train, or restores a deleted one, which keeps its epoch. If the train follows a
	// schedule, its date leaves StoredSchedule.Cancelled, at the same revision. Errors: ErrExists if a train
	// that is not deleted has the id; ErrStale if a schedule that is not deleted has the masked id and
	// train.Follows is not its Defined, or if train.Follows is not 0 and there is no such schedule.
	CreateTrain(ctx context.Context, train booking.Train) error
	// Epochs returns the epochs of trains. Error of a train that is deleted or does not exist: ErrNotFound;
	// its epoch, 0 if there has never been one, is that before an Adoption that creates the train.
	Epochs(ctx context.Context, trains []booking.TrainID) ([]Result[int64], error)
	// Adopt makes activations current, each with the epoch after that of its train. A train that is deleted
	// or does not exist is created in the same step from Departure, if that is given, and then takes the next
	// revision of the Catalogue. The Departure of a train that exists is ignored. Of several activations of a
	// train the first wins. Errors of an activation: ErrFenced if the train has another epoch than the one
	// before; ErrNotFound; ErrStale if the schedule of a train to create is deleted, or has another revision
	// than the Departure; ErrLocked if a statement in flight may still write for an earlier activation, or
	// changes the schedule: try again. No call waits for such a statement, since it would keep the other trains
	// waiting.
	Adopt(ctx context.Context, activations []Adoption) ([]error, error)
	// LoadTrains returns the state of distinct trains that is stored here, from one snapshot. became are
	// the ids of bookings that the live holds of all of them would become. It reads no other
	// cancelled bookings, however many there are. Error of a train: ErrNotFound.
	LoadTrains(ctx context.Context, trains []booking.TrainID, became []uuid.UUID) ([]Result[LoadedTrain], error)
	// ChangeTrain replaces everything but id, CreatedAt and what is booked. Errors:
	// ErrConflict if a seat above the new capacity is booked; ErrFenced; ErrNotFound.
	ChangeTrain(ctx context.Context, guard Guard, train booking.Train) error
	// DeleteTrain marks the train as deleted at a time and, with Force, cancels its bookings ByTrain. With
	// Cancels, and if a schedule that is not deleted has the masked id, its date enters
	// StoredSchedule.Cancelled, at the same revision. A store that also implements Holds may delete its
	// holds. Errors: ErrConflict if the train has live bookings, without Force; ErrFenced; ErrNotFound.
	DeleteTrain(ctx context.Context, guard Guard, deletion Deletion) error
}

// Catalogue reads the definitions of trains. CreateTrain, ChangeTrain, DeleteTrain and an Adopt that creates
// a train give it the next revision, from one counter. Revisions are committed in their order, so a reader
// that has seen one finds every later change above it.
type Catalogue interface {
	// Revision returns the latest revision.
	Revision(ctx context.Context) (int64, error)
	// ListTrains returns the trains that are not deleted, in no order: those that come after a position,
	// by when they retire and their ids, up to another one. After the present, they are those that are
	// not retired.
	ListTrains(ctx context.Context, after, upTo booking.Cursor) ([]booking.Train, error)
	// PageEnd returns the position of the size-th train of ListTrains after a position, LastPosition if
	// there are fewer, so that several readers can share them.
	PageEnd(ctx context.Context, after booking.Cursor, size int) (booking.Cursor, error)
	// ChangedTrains returns the trains with a revision above after, in its order, at most limit.
	ChangedTrains(ctx context.Context, after int64, limit int) ([]ChangedTrain, error)
	// FindTrains returns those of the trains that are not deleted, in no order. They may be retired.
	FindTrains(ctx context.Context, ids []booking.TrainID) ([]booking.Train, error)
}

// ChangedTrain is the latest change of a train.
type ChangedTrain struct {
	booking.Train
	Revision int64
	Deleted  bool
}

// LoadedTrain is a train with what is booked on it.
type LoadedTrain struct {
	Train booking.Train
	// Bookings are the live bookings, in no order.
	Bookings []booking.Booking
	// Cancelled are those of the given ids whose booking of this train was cancelled, in no order.
	Cancelled []uuid.UUID
	// Seats are the legs on which each seat is booked according to the rows by which Book
	// decides. Seats without such legs are missing. They differ from Bookings only if somebody
	// changed the tables by hand or a backup was restored in part.
	Seats map[int]booking.Legs
}

// Bookings stores bookings and the legs on which each seat is booked.
type Bookings interface {
	// Book writes a batch of sales of any trains in one transaction and returns one result
	// per sale, in order: nil (written, or a live booking has the id), ErrFenced, ErrNotFound
	// (of the train), ErrConflict (a seat is booked on one of the legs, or a cancelled
	// booking has the id) or ErrLocked. Each sale is written completely or not at all, independently of
	// the others. If err is not nil, no sale was written, unless err is ErrUnknown.
	Book(ctx context.Context, sales []Sale) ([]error, error)
	// CancelBooking marks a booking as cancelled, keeps its train as it is now, and clears its own legs
	// of its seats. It is idempotent: the first cancellation stays. Errors: ErrFenced; ErrNotFound if
	// the train has no such booking.
	CancelBooking(ctx context.Context, guard Guard, id uuid.UUID, at time.Time, by booking.Canceller) error
	// CancelSeats cancels some seats of a live booking, ascending and not all of them: they become a
	// cancelled booking with the id booking.PartOf. It is idempotent. Errors: ErrFenced; ErrNotFound if
	// the train has no such booking; ErrConflict if that does not have these seats and others.
	CancelSeats(ctx context.Context, guard Guard, id uuid.UUID, seats []int, at time.Time, by booking.Canceller) error
	// ExchangeBooking cancels the old booking, as CancelBooking does, when the new one is booked and
	// ByPassenger, and writes the sale: both or neither. It is idempotent: nil if the new booking is live
	// and the old one of the user cancelled. Errors: those of a sale of Book; ErrNotLive if the user has no
	// such live booking.
	//
	// The guard is that of the train of the sale. The old train needs none: its owner still counts the
	// seats as booked, whoever it is, so it cannot sell them before it has cancelled the booking
	// too, and an activation that loads the train finds both rows changed or neither.
	ExchangeBooking(ctx context.Context, exchange Exchange) error
	// FindBooking returns a booking, which may be cancelled. Error: ErrNotFound.
	FindBooking(ctx context.Context, id uuid.UUID) (booking.Booking, error)
	// FindBookings returns those of the bookings that exist, which may be cancelled, in no order.
	FindBookings(ctx context.Context, ids []uuid.UUID) ([]booking.Booking, error)
	// CancelledBookings returns the bookings of a train that a user has cancelled (or that were
	// cancelled with force), the latest first, at most MaxHistory.
	CancelledBookings(ctx context.Context, train booking.TrainID, user uuid.UUID) ([]booking.Booking, error)
	// SeatLegs returns, for each of the trains in order, the legs on which each of its seats is
	// booked. Seats without such legs are missing, and a train that does not exist has none. It is
	// one statement for any number of trains.
	SeatLegs(ctx context.Context, trains []booking.TrainID) ([]map[int]booking.Legs, error)
	// FindBookedTrain is FindBooking with its train, from one snapshot.
	FindBookedTrain(ctx context.Context, id uuid.UUID) (booking.BookedTrain, error)
	// UserBookings and TrainBookings list bookings with their trains, from one snapshot, ordered by
	// (BookedAt, ID). UserBookings also lists them in the reverse order. Error of TrainBookings:
	// ErrNotFound if there has never been such a train.
	UserBookings(ctx context.Context, user uuid.UUID, page booking.PageRequest) (booking.Page[booking.BookedTrain], error)
	TrainBookings(ctx context.Context, id booking.TrainID, page booking.PageRequest) (booking.Page[booking.BookedTrain], error)
}
