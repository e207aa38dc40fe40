package postgres

import (
	"context"
	"errors"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// CreateSchedule implements persistence.Schedules.
func (db *DB) CreateSchedule(context.Context, booking.Schedule) error { return errors.ErrUnsupported }

// ChangeSchedule implements persistence.Schedules.
func (db *DB) ChangeSchedule(context.Context, int64, booking.Schedule) error {
	return errors.ErrUnsupported
}

// DeleteSchedule implements persistence.Schedules.
func (db *DB) DeleteSchedule(context.Context, int64, booking.ScheduleID, persistence.ScheduleDeletion) error {
	return errors.ErrUnsupported
}

// FindSchedule implements persistence.Schedules.
func (db *DB) FindSchedule(context.Context, booking.ScheduleID) (persistence.StoredSchedule, error) {
	return persistence.StoredSchedule{}, errors.ErrUnsupported
}

// FormerSchedule implements persistence.Schedules.
func (db *DB) FormerSchedule(context.Context, booking.ScheduleID, int64) (booking.Schedule, error) {
	return booking.Schedule{}, errors.ErrUnsupported
}

// ListSchedules implements persistence.Schedules.
func (db *DB) ListSchedules(
	context.Context, time.Time, booking.ScheduleID, int,
) ([]persistence.StoredSchedule, error) {
	return nil, errors.ErrUnsupported
}

// ChangedSchedules implements persistence.Schedules.
func (db *DB) ChangedSchedules(context.Context, int64, int) ([]persistence.StoredSchedule, error) {
	return nil, errors.ErrUnsupported
}

// BookedDepartures implements persistence.Schedules.
func (db *DB) BookedDepartures(context.Context, []booking.ScheduleID, time.Time) ([]int, error) {
	return nil, errors.ErrUnsupported
}
