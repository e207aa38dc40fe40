package booking

import "context"

// Schedules administers schedules. It does not authorize, as Trains. Every method that takes a schedule
// id returns not_found for an unknown schedule.
//
// A change of a schedule applies to its departures as Follow does. The response follows when it has been
// applied to all of them; after unavailable or timeout it is applied later.
type Schedules interface {
	// CreateSchedule adds a schedule under schedule.ID, or under a random id if that is zero. Errors:
	// invalid_request; already_exists if a schedule has that id, or a train has the id of one of its
	// departures and is none.
	CreateSchedule(ctx context.Context, schedule Schedule) (Schedule, error)
	// PutSchedule creates schedule.ID or changes it to schedule. It is idempotent. The service sets
	// CreatedAt and UpdatedAt. Errors: invalid_request; already_exists as CreateSchedule.
	PutSchedule(ctx context.Context, schedule Schedule) (put Schedule, created bool, err error)
	// DeleteSchedule ends the sales of a schedule and deletes its departures. Error: has_bookings, if
	// mode is RefuseBooked and seats of a departure that has not retired are booked.
	DeleteSchedule(ctx context.Context, id ScheduleID, mode ScheduleDeletion) error
	// FindSchedule returns a schedule and the state of its departures.
	FindSchedule(ctx context.Context, id ScheduleID) (ScheduleStatus, error)
	// ListSchedules returns the schedules whose last departure is not retired, oldest first, on one page.
	ListSchedules(ctx context.Context, page PageRequest) (Page[ScheduleStatus], error)
	// ListDepartures returns the departures of a schedule from one date (0: today in its zone) to another,
	// both included, in order of date, with tallies over the whole run: those that it runs, and those that have a
	// definition of their own or were cancelled. The page is Incomplete if some could not be read.
	ListDepartures(ctx context.Context, id ScheduleID, from, to Date, page PageRequest) (Page[DepartureStatus], error)
}

// ScheduleDeletion is what the deletion of a schedule does with the bookings of departures that have not
// retired.
type ScheduleDeletion int

// The deletions.
const (
	// RefuseBooked refuses the deletion while there are any.
	RefuseBooked ScheduleDeletion = iota
	// RetainBooked withdraws the departures with bookings, which stay as trains.
	RetainBooked
	// CancelBooked cancels the bookings, ByTrain.
	CancelBooked
)

// MaxDiverged is the number of dates in ScheduleStatus.Diverged.
const MaxDiverged = 20

// ScheduleStatus is a schedule and the state of its departures.
type ScheduleStatus struct {
	*Schedule
	// Next is the date of the next departure that a passenger can book, and SoldUntil the last date that
	// is sold now; 0: there is none.
	Next, SoldUntil Date
	// Booked is how many departures that have not retired have bookings.
	Booked int
	// Diverged are the first MaxDiverged dates of the departures that have not retired and differ from
	// what the schedule says, and DivergedCount is the number of all of them.
	Diverged      []Date
	DivergedCount int
}

// DepartureStatus is a departure of a schedule.
type DepartureStatus struct {
	Date Date
	Availability
	// Diverged reports that it differs from what the schedule says. Cancelled reports that it was
	// deleted: Train is what the schedule says, and nothing is available.
	Diverged, Cancelled bool
}
