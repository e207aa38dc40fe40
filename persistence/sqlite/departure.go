package sqlite

import (
	"context"
	"errors"
	"slices"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// This file has what trains and their schedules change of each other.

// createDeparture creates the train of an adoption, or restores it if there is a row.
func createDeparture(ctx context.Context, c *conn, a persistence.Adoption, restored bool) error {
	id, _, ok := a.Train.Schedule()
	if !ok {
		return persistence.ErrStale
	}
	if _, err := liveSchedule(ctx, c, id, a.Departure.Revision); err != nil {
		if errors.Is(err, persistence.ErrNotFound) {
			return persistence.ErrStale
		}
		return err
	}
	train := a.Departure.Train
	if restored {
		train.CreatedAt = a.Departure.Restored
	}
	revision, err := nextRevision(ctx, c)
	if err != nil {
		return err
	}
	return insertTrain(ctx, c, &train, revision, a.Epoch, a.Owner[:])
}

// joinSchedule checks that a train to create follows the schedule with its masked id, if there is one, and
// then makes its date run again. Error: ErrStale.
func joinSchedule(ctx context.Context, c *conn, train *booking.Train, revision int64) error {
	schedule, date, found, err := scheduleOf(ctx, c, train.ID)
	switch {
	case err != nil:
		return err
	case train.Follows == 0 && !found:
		return nil
	case !found || schedule.Defined != train.Follows:
		return persistence.ErrStale
	}
	i, cancelled := slices.BinarySearch(schedule.Cancelled, date)
	if !cancelled {
		return nil
	}
	return setCancelled(ctx, c, schedule.ID, slices.Delete(schedule.Cancelled, i, i+1), revision)
}

// cancelDeparture adds the date of a train that was deleted to the cancelled ones of its schedule, if it
// has one.
func cancelDeparture(ctx context.Context, c *conn, id booking.TrainID, revision int64) error {
	schedule, date, found, err := scheduleOf(ctx, c, id)
	if err != nil || !found {
		return err
	}
	dates := schedule.Cancelled
	if i, cancelled := slices.BinarySearch(dates, date); !cancelled {
		dates = slices.Insert(dates, i, date)
	}
	return setCancelled(ctx, c, schedule.ID, dates, revision)
}

// scheduleOf returns the schedule that is not deleted and has the masked id of a train, if there is one.
func scheduleOf(
	ctx context.Context, c *conn, train booking.TrainID,
) (schedule persistence.StoredSchedule, date booking.Date, found bool, err error) {
	id, date, ok := train.Schedule()
	if !ok {
		return schedule, 0, false, nil
	}
	schedule, err = first(ctx, c, scanSchedule, findSchedule, id[:])
	if errors.Is(err, persistence.ErrNotFound) {
		return schedule, 0, false, nil
	}
	return schedule, date, err == nil && schedule.Deletion == nil, err
}

func setCancelled(ctx context.Context, c *conn, id booking.ScheduleID, dates []booking.Date, revision int64) error {
	const set = `UPDATE schedules SET cancelled = ?2, revision = ?3 WHERE id = ?1`
	days, err := persistence.EncodeList(persistence.EncodeDates(dates))
	if err != nil {
		return err
	}
	_, err = c.exec(ctx, set, id[:], days, revision)
	return err
}
