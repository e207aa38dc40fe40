package persistence

import (
	"context"
	"time"

	"trainbooking.dev/booking"
)

// Schedules stores schedules. Each change of one takes the next revision of the Catalogue, as changes of
// trains do. The trains that follow a schedule, its departures with a row, are changed by their
// activations later: a row has the revision of the definition that it follows (booking.Train.Follows).
type Schedules interface {
	// CreateSchedule adds a schedule, or restores a deleted one. Errors: ErrExists if a schedule that is
	// not deleted has the id; ErrConflict if a train that is not deleted and follows no schedule has the
	// id of one of its departures.
	CreateSchedule(ctx context.Context, schedule booking.Schedule) error
	// ChangeSchedule replaces the definition of a schedule, except CreatedAt, and keeps the one before
	// for FormerSchedule. Errors: ErrNotFound; ErrStale if Revision is not that of the schedule.
	ChangeSchedule(ctx context.Context, revision int64, schedule booking.Schedule) error
	// DeleteSchedule marks a schedule as deleted. Its departures stay until they are settled one by one.
	// Errors: ErrNotFound; ErrStale as ChangeSchedule; ErrConflict if deletion.Mode is booking.RefuseBooked and
	// a departure that retires after deletion.At has a live booking. A sale at the same moment may be missed.
	DeleteSchedule(ctx context.Context, revision int64, id booking.ScheduleID, deletion ScheduleDeletion) error
	// FindSchedule returns a schedule, which may be retired, or deleted. Error: ErrNotFound if there has
	// never been one.
	FindSchedule(ctx context.Context, id booking.ScheduleID) (StoredSchedule, error)
	// FormerSchedule returns the schedule as it was from a revision on, StoredSchedule.Defined, which may be
	// the present one. From its deletion on it runs on no date: its Days are 0, and it has no Exceptions.
	// Error: ErrNotFound.
	FormerSchedule(ctx context.Context, id booking.ScheduleID, defined int64) (booking.Schedule, error)
	// ListSchedules returns the schedules that retire after a time, also those that are deleted, by their
	// ids: those above after, at most limit.
	ListSchedules(ctx context.Context, retire time.Time, after booking.ScheduleID, limit int) ([]StoredSchedule, error)
	// ChangedSchedules returns the schedules with a revision above after, in its order, at most limit.
	ChangedSchedules(ctx context.Context, after int64, limit int) ([]StoredSchedule, error)
	// BookedDepartures returns how many departures of each of the schedules retire after a time and have a
	// live booking, in their order.
	BookedDepartures(ctx context.Context, schedules []booking.ScheduleID, retire time.Time) ([]int, error)
}

// StoredSchedule is a schedule as a store has it.
type StoredSchedule struct {
	booking.Schedule
	// Revision is that of the latest change of any kind, Defined that of the latest change of the
	// definition, or of the deletion.
	Revision, Defined int64
	// Cancelled are the dates whose departures were deleted by themselves, ascending. They are not sold
	// again, unless a train is created with the id of the departure. A schedule that is restored has none.
	Cancelled []booking.Date
	Deletion  *ScheduleDeletion // nil: not deleted
}

// FormerSchedule is a schedule as it was from a revision on, as engines store it. It never changes.
type FormerSchedule struct {
	booking.Schedule
	Defined int64
	Deleted bool
}

// AsItRan returns the schedule, without a date if it was deleted.
func (f *FormerSchedule) AsItRan() booking.Schedule {
	s := f.Schedule
	if f.Deleted {
		s.Days, s.Exceptions = 0, nil
	}
	return s
}

// ScheduleDeletion is the deletion of a schedule.
type ScheduleDeletion struct {
	At   time.Time
	Mode booking.ScheduleDeletion
}

// DepartureBounds returns two ids: those of all departures of a schedule are above the first, which may be
// that of a train without a schedule, and up to the second.
func DepartureBounds(id booking.ScheduleID) (above, upTo booking.TrainID) {
	above, upTo = booking.TrainID(id), booking.TrainID(id)
	for i := 12; i < len(upTo); i++ {
		upTo[i] = 0xff
	}
	return above, upTo
}

// Adoption makes an activation current. If its train has no row, or is deleted, Departure creates it.
type Adoption struct {
	Guard
	Departure *Departure // nil: the train must exist
}

// Departure is a departure to create, as its schedule defined it at a revision.
type Departure struct {
	// Train is the train to create, that of the Guard. Its id leads to the schedule. If it restores a deleted train, it gets
	// CreatedAt of Restored, so that its Incarnation is another.
	Train    booking.Train
	Revision int64 // StoredSchedule.Revision
	Restored time.Time
}

// Deletion is the deletion of a train.
type Deletion struct {
	At    time.Time
	Force bool // cancels the bookings, ByTrain
	// Cancels adds the date of a departure to Cancelled of its schedule, if that is not deleted.
	Cancels bool
}
