package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// schedule is a row with what it was before.
type schedule struct {
	persistence.StoredSchedule
	former map[int64]persistence.FormerSchedule // by Defined
}

// CreateSchedule implements persistence.Schedules.
func (s *Store) CreateSchedule(ctx context.Context, definition booking.Schedule) error {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	of := s.schedules[definition.ID]
	if of != nil && of.Deletion == nil {
		return persistence.ErrExists
	}
	for t := range s.rowsOf(definition.ID) {
		if t.Follows == 0 {
			return persistence.ErrConflict
		}
	}
	if of == nil {
		of = &schedule{former: map[int64]persistence.FormerSchedule{}}
		s.schedules[definition.ID] = of
	} else {
		of.keep()
	}
	of.StoredSchedule = persistence.StoredSchedule{Schedule: definition}
	s.defined(of)
	return nil
}

// keep keeps the schedule as it is now.
func (of *schedule) keep() {
	of.former[of.Defined] = persistence.FormerSchedule{
		Schedule: of.Schedule, Defined: of.Defined, Deleted: of.Deletion != nil,
	}
}

// defined gives the schedule the next revision.
func (s *Store) defined(of *schedule) {
	s.revision++
	of.Revision, of.Defined = s.revision, s.revision
}

// rowsOf returns the trains that are not deleted and have the id of a departure.
func (s *Store) rowsOf(id booking.ScheduleID) func(func(*train) bool) {
	return func(yield func(*train) bool) {
		for _, t := range s.trains {
			if of, _, ok := t.ID.Schedule(); ok && of == id && !t.deleted && !yield(t) {
				return
			}
		}
	}
}

// at returns a schedule that is not deleted and has a revision. Errors: ErrNotFound, ErrStale.
func (s *Store) at(id booking.ScheduleID, revision int64) (*schedule, error) {
	of := s.schedules[id]
	switch {
	case of == nil || of.Deletion != nil:
		return nil, persistence.ErrNotFound
	case of.Revision != revision:
		return nil, persistence.ErrStale
	}
	return of, nil
}

// ChangeSchedule implements persistence.Schedules.
func (s *Store) ChangeSchedule(ctx context.Context, revision int64, to booking.Schedule) error {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	of, err := s.at(to.ID, revision)
	if err != nil {
		return err
	}
	of.keep()
	to.CreatedAt = of.CreatedAt
	of.Schedule = to
	s.defined(of)
	return nil
}

// DeleteSchedule implements persistence.Schedules.
func (s *Store) DeleteSchedule(
	ctx context.Context, revision int64, id booking.ScheduleID, deletion persistence.ScheduleDeletion,
) error {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	of, err := s.at(id, revision)
	if err != nil {
		return err
	}
	if deletion.Mode == booking.RefuseBooked && s.booked(id, deletion.At) > 0 {
		return persistence.ErrConflict
	}
	of.keep()
	of.Deletion = &deletion
	s.defined(of)
	return nil
}

// booked returns how many departures retire after a time and are booked.
func (s *Store) booked(id booking.ScheduleID, retire time.Time) (n int) {
	for t := range s.rowsOf(id) {
		if len(t.sold) > 0 && persistence.EncodeRetirement(&t.Train).After(retire) {
			n++
		}
	}
	return n
}

// FindSchedule implements persistence.Schedules.
func (s *Store) FindSchedule(ctx context.Context, id booking.ScheduleID) (persistence.StoredSchedule, error) {
	end, err := s.begin(ctx)
	defer end()
	of := s.schedules[id]
	switch {
	case err != nil:
		return persistence.StoredSchedule{}, err
	case of == nil:
		return persistence.StoredSchedule{}, persistence.ErrNotFound
	}
	return of.StoredSchedule, nil
}

// FormerSchedule implements persistence.Schedules.
func (s *Store) FormerSchedule(
	ctx context.Context, id booking.ScheduleID, defined int64,
) (former booking.Schedule, err error) {
	end, err := s.begin(ctx)
	defer end()
	of := s.schedules[id]
	switch {
	case err != nil:
		return former, err
	case of == nil:
		return former, persistence.ErrNotFound
	case of.Defined == defined:
		of.keep()
	}
	kept, ok := of.former[defined]
	if !ok {
		return former, persistence.ErrNotFound
	}
	return kept.AsItRan(), nil
}

// ListSchedules implements persistence.Schedules.
func (s *Store) ListSchedules(
	ctx context.Context, retire time.Time, after booking.ScheduleID, limit int,
) ([]persistence.StoredSchedule, error) {
	return s.some(ctx, limit, func(of *persistence.StoredSchedule) bool {
		return bytes.Compare(of.ID[:], after[:]) > 0 && persistence.EncodeScheduleRetirement(&of.Schedule).After(retire)
	}, func(a, b persistence.StoredSchedule) int { return bytes.Compare(a.ID[:], b.ID[:]) })
}

// ChangedSchedules implements persistence.Schedules.
func (s *Store) ChangedSchedules(ctx context.Context, after int64, limit int) ([]persistence.StoredSchedule, error) {
	return s.some(ctx, limit, func(of *persistence.StoredSchedule) bool { return of.Revision > after },
		func(a, b persistence.StoredSchedule) int { return cmp.Compare(a.Revision, b.Revision) })
}

// some returns the first of the schedules that match, in an order.
func (s *Store) some(
	ctx context.Context, limit int,
	match func(*persistence.StoredSchedule) bool, compare func(a, b persistence.StoredSchedule) int,
) (found []persistence.StoredSchedule, err error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return nil, err
	}
	for _, of := range s.schedules {
		if match(&of.StoredSchedule) {
			found = append(found, of.StoredSchedule)
		}
	}
	slices.SortFunc(found, compare)
	return found[:min(limit, len(found))], nil
}

// BookedDepartures implements persistence.Schedules.
func (s *Store) BookedDepartures(ctx context.Context, ids []booking.ScheduleID, retire time.Time) ([]int, error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return nil, err
	}
	booked := make([]int, len(ids))
	for i, id := range ids {
		booked[i] = s.booked(id, retire)
	}
	return booked, nil
}

// scheduleOf returns the schedule that is not deleted and has the masked id of a train, or nil.
func (s *Store) scheduleOf(id booking.TrainID) (*schedule, booking.Date) {
	of, date, ok := id.Schedule()
	if found := s.schedules[of]; ok && found != nil && found.Deletion == nil {
		return found, date
	}
	return nil, 0
}

// joinSchedule checks that a train to create follows the schedule with its masked id, if there is one.
func (s *Store) joinSchedule(t *booking.Train) error {
	switch of, _ := s.scheduleOf(t.ID); {
	case of == nil && t.Follows != 0, of != nil && of.Defined != t.Follows:
		return persistence.ErrStale
	}
	return nil
}

// uncancel makes the date of a train run again, at the present revision.
func (s *Store) uncancel(id booking.TrainID) {
	of, date := s.scheduleOf(id)
	if of == nil || !slices.Contains(of.Cancelled, date) {
		return
	}
	of.setCancelled(slices.DeleteFunc(slices.Clone(of.Cancelled), func(d booking.Date) bool { return d == date }))
	of.Revision = s.revision
}

// cancelDeparture adds the date of a train to the cancelled ones, at the present revision.
func (s *Store) cancelDeparture(id booking.TrainID) {
	of, date := s.scheduleOf(id)
	if of == nil {
		return
	}
	of.setCancelled(append(slices.Clone(of.Cancelled), date))
	of.Revision = s.revision
}

// setCancelled orders the dates. A reader may have the ones before.
func (of *schedule) setCancelled(dates []booking.Date) {
	slices.Sort(dates)
	of.Cancelled = slices.Compact(dates)
	if len(dates) == 0 {
		of.Cancelled = nil
	}
}
