package actors

import (
	"context"
	"errors"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// CreateSchedule implements booking.Service.
func (s *System) CreateSchedule(ctx context.Context, schedule booking.Schedule) (booking.Schedule, error) {
	if schedule.ID == (booking.ScheduleID{}) {
		schedule.ID = booking.NewScheduleID()
	}
	schedule, err := schedule.Clean()
	if err == nil {
		err = schedule.CheckNames(nil)
	}
	if err != nil {
		return booking.Schedule{}, err
	}
	schedule.CreatedAt = time.Now().UTC().Truncate(time.Microsecond)
	schedule.UpdatedAt = schedule.CreatedAt
	if err = s.store.CreateSchedule(ctx, schedule); err != nil {
		return booking.Schedule{}, s.scheduleError(err)
	}
	return schedule, s.applySchedule(ctx, schedule.ID)
}

// PutSchedule implements booking.Service.
func (s *System) PutSchedule(ctx context.Context, schedule booking.Schedule) (booking.Schedule, bool, error) {
	if !schedule.ID.Valid() {
		return booking.Schedule{}, false, booking.InvalidField("id", "must be a UUID whose last 8 digits are 0")
	}
	schedule, err := schedule.Clean()
	if err != nil {
		return booking.Schedule{}, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	for {
		stored, err := s.storedSchedule(ctx, schedule.ID)
		if booking.CodeOf(err) == booking.CodeNotFound {
			created, err := s.CreateSchedule(ctx, schedule)
			if !isStored(err) {
				return created, err == nil, err
			}
			continue // another client created it meanwhile
		}
		if err != nil {
			return booking.Schedule{}, false, err
		}
		put, err := s.changeSchedule(ctx, &stored, schedule)
		if !errors.Is(err, persistence.ErrStale) {
			return put, false, err
		}
	}
}

// isStored reports whether the error is that another schedule has the id.
func isStored(err error) bool {
	e, ok := errors.AsType[*booking.Error](err)
	return ok && errors.Is(e.Cause, persistence.ErrExists)
}

// changeSchedule changes a schedule to another definition. Error: persistence.ErrStale if it has changed
// meanwhile.
func (s *System) changeSchedule(
	ctx context.Context, stored *persistence.StoredSchedule, to booking.Schedule,
) (booking.Schedule, error) {
	if err := to.CheckNames(&stored.Schedule); err != nil {
		return booking.Schedule{}, err
	}
	if stored.Same(&to) { // an earlier attempt may not have been applied
		return stored.Schedule, s.applySchedule(ctx, to.ID)
	}
	to.CreatedAt, to.UpdatedAt = stored.CreatedAt, time.Now().UTC().Truncate(time.Microsecond)
	if !to.UpdatedAt.After(stored.UpdatedAt) {
		to.UpdatedAt = stored.UpdatedAt.Add(time.Microsecond)
	}
	err := s.store.ChangeSchedule(ctx, stored.Revision, to)
	switch {
	case errors.Is(err, persistence.ErrStale), errors.Is(err, persistence.ErrNotFound):
		return booking.Schedule{}, persistence.ErrStale
	case err != nil:
		return booking.Schedule{}, s.scheduleError(err)
	}
	return to, s.applySchedule(ctx, to.ID)
}

// DeleteSchedule implements booking.Service.
func (s *System) DeleteSchedule(ctx context.Context, id booking.ScheduleID, mode booking.ScheduleDeletion) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	for {
		stored, err := s.storedSchedule(ctx, id)
		if err != nil {
			return err
		}
		err = s.store.DeleteSchedule(ctx, stored.Revision, id, persistence.ScheduleDeletion{
			At: time.Now().UTC().Truncate(time.Microsecond), Mode: mode,
		})
		switch {
		case err == nil:
			return s.applySchedule(ctx, id)
		case errors.Is(err, persistence.ErrConflict):
			return &booking.Error{
				Code: booking.CodeHasBookings, Message: "Seats of departures of this schedule are booked; force cancels them, retain keeps them",
			}
		case !errors.Is(err, persistence.ErrStale):
			return s.scheduleError(err)
		}
	}
}

// storedSchedule returns a schedule from the store. Error: not_found, also if it is deleted.
func (s *System) storedSchedule(ctx context.Context, id booking.ScheduleID) (persistence.StoredSchedule, error) {
	stored, err := s.store.FindSchedule(ctx, id)
	if errors.Is(err, persistence.ErrNotFound) || err == nil && stored.Deletion != nil {
		return stored, booking.NotFound("schedule")
	}
	return stored, persistence.ClientError(err)
}

// scheduleError returns the error that a client gets for a change of a schedule that failed.
func (s *System) scheduleError(err error) error {
	switch {
	case errors.Is(err, persistence.ErrExists):
		return &booking.Error{Code: booking.CodeAlreadyExists, Message: "A schedule with this id already exists", Cause: err}
	case errors.Is(err, persistence.ErrConflict):
		return &booking.Error{
			Code: booking.CodeAlreadyExists, Cause: err,
			Message: "A train that belongs to no schedule has the id of one of the departures: choose another id",
		}
	case errors.Is(err, persistence.ErrNotFound):
		return booking.NotFound("schedule")
	}
	s.refreshes.begin() // it may be changed
	return persistence.ClientError(err)
}

// applySchedule announces a change of a schedule and applies it to its departures. The error is timeout
// if not all follow it yet: each process applies what is left, again and again.
func (s *System) applySchedule(ctx context.Context, id booking.ScheduleID) error {
	if err := s.announce(ctx); err != nil {
		return booking.Timeout(err)
	}
	if err := s.settle(ctx, s.catalogue.unsettled(id, time.Now())); err != nil {
		return booking.Timeout(err)
	}
	return nil
}
