package actors

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// FindSchedule implements booking.Service.
func (s *System) FindSchedule(ctx context.Context, id booking.ScheduleID) (booking.ScheduleStatus, error) {
	status, found := s.catalogue.scheduleStatus(id, time.Now())
	if !found { // it may have retired
		stored, err := s.storedSchedule(ctx, id)
		if err != nil {
			return booking.ScheduleStatus{}, err
		}
		return booking.ScheduleStatus{Schedule: &stored.Schedule}, nil
	}
	all := []booking.ScheduleStatus{status}
	err := s.countBooked(ctx, all)
	return all[0], err
}

// ListSchedules implements booking.Service.
func (s *System) ListSchedules(
	ctx context.Context, page booking.PageRequest,
) (booking.Page[booking.ScheduleStatus], error) {
	listed := s.catalogue.listSchedules(page, time.Now())
	err := s.countBooked(ctx, listed.Items)
	return listed, err
}

// countBooked sets Booked of schedules.
func (s *System) countBooked(ctx context.Context, all []booking.ScheduleStatus) error {
	ids := make([]booking.ScheduleID, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	booked, err := s.store.BookedDepartures(ctx, ids, time.Now())
	if err != nil {
		return persistence.ClientError(err)
	}
	for i := range all {
		all[i].Booked = booked[i]
	}
	return nil
}

// scheduleStatus returns a schedule that is not deleted or retired.
func (c *catalogue) scheduleStatus(id booking.ScheduleID, now time.Time) (status booking.ScheduleStatus, found bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	s := c.schedules[id]
	if s == nil || s.runs == nil {
		return status, false
	}
	return c.status(s, now), true
}

// listSchedules returns a page of the schedules that are not deleted or retired.
func (c *catalogue) listSchedules(page booking.PageRequest, now time.Time) booking.Page[booking.ScheduleStatus] {
	c.mu.RLock()
	defer c.mu.RUnlock()
	limit := len(c.ages)
	if page.Limit > 0 {
		limit = page.Limit + 1
	}
	all := take(after(c.ages, page.After, (*scheduled).age), limit, func(*scheduled) bool { return true })
	some := booking.PageOf(all, page.Limit, (*scheduled).age)
	listed := booking.Page[booking.ScheduleStatus]{Items: make([]booking.ScheduleStatus, len(some.Items)), Next: some.Next}
	for i, s := range some.Items {
		listed.Items[i] = c.status(s, now)
	}
	return listed
}

// status returns all of a status but Booked.
func (c *catalogue) status(s *scheduled, now time.Time) booking.ScheduleStatus {
	status := booking.ScheduleStatus{Schedule: &s.stored.Schedule, SoldUntil: s.soldUntil(now)}
	status.Next, _ = c.next(s, s.route, s.like.Run(), now)
	dates := s.diverged(now)
	status.Diverged, status.DivergedCount = dates[:min(len(dates), booking.MaxDiverged)], len(dates)
	return status
}

// soldUntil returns the last date that is sold at now, 0 if there is none. A row may differ.
func (s *scheduled) soldUntil(now time.Time) (last booking.Date) {
	if !s.runs.OnSale {
		return 0
	}
	from, to := s.runs.SaleWindow(now)
	for date := min(to, s.runs.Until); date >= from; date-- {
		if s.runs.Runs(date) {
			return date
		}
	}
	return 0
}

// diverged returns the dates of the departures that are not retired and differ from the schedule.
func (s *scheduled) diverged(now time.Time) (dates []booking.Date) {
	for _, l := range s.rows {
		if s.stored.Diverges(l.train, l.date) {
			dates = append(dates, l.date)
		}
	}
	for _, date := range s.stored.Cancelled {
		departure := s.stored.Train(date)
		if s.row(date) == nil && s.stored.Runs(date) && departure.RetiresAt().After(now) {
			dates = append(dates, date)
		}
	}
	slices.Sort(dates)
	return dates
}

// ListDepartures implements booking.Service.
func (s *System) ListDepartures(
	ctx context.Context, id booking.ScheduleID, from, to booking.Date, page booking.PageRequest,
) (booking.Page[booking.DepartureStatus], error) {
	all, found := s.catalogue.serviceDays(id, from, to)
	if !found {
		return s.retiredDepartures(ctx, id)
	}
	start, _ := slices.BinarySearchFunc(all, page.After, func(d booking.DepartureStatus, p booking.Cursor) int {
		return servicePosition(d).Compare(p)
	})
	if !page.After.IsZero() && start < len(all) && servicePosition(all[start]) == page.After {
		start++
	}
	departures := booking.PageOf(all[start:], page.Limit, servicePosition)
	if err := s.findRetired(ctx, departures.Items); err != nil {
		return departures, err
	}
	err := s.tally(ctx, &departures)
	return departures, err
}

// findRetired replaces the departures that are retired by their rows, which the catalogue does not have.
func (s *System) findRetired(ctx context.Context, departures []booking.DepartureStatus) error {
	var places []int
	var ids []booking.TrainID
	for i, d := range departures {
		if !d.Cancelled && !d.Train.RetiresAt().After(time.Now()) {
			places, ids = append(places, i), append(ids, d.Train.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := s.findTrains(ctx, ids...)
	if err != nil {
		return err
	}
	for i, train := range found {
		if d := &departures[places[i]]; train != nil {
			d.Diverged = !train.Same(d.Train)
			d.Train = train
		}
	}
	return nil
}

// retiredDepartures returns the departures of a schedule that is not in the catalogue: none, if there has
// been one.
func (s *System) retiredDepartures(
	ctx context.Context, id booking.ScheduleID,
) (booking.Page[booking.DepartureStatus], error) {
	_, err := s.storedSchedule(ctx, id)
	return booking.Page[booking.DepartureStatus]{Items: []booking.DepartureStatus{}}, err
}

// servicePosition returns the position of a departure in ListServiceDays.
func servicePosition(d booking.DepartureStatus) booking.Cursor {
	return booking.Cursor{At: d.Date.Begins(time.UTC), ID: uuid.UUID(d.Train.ID)}
}

// tally adds the tallies of departures that are not cancelled. It leaves out those that could not be read,
// unless that is true of all.
func (s *System) tally(ctx context.Context, page *booking.Page[booking.DepartureStatus]) error {
	var trains []*booking.Train
	for _, d := range page.Items {
		if !d.Cancelled {
			trains = append(trains, d.Train)
		}
	}
	got, err := s.gather(ctx, trains, trainQuery{})
	results := got.results
	some, all := unread(results)
	if all {
		return err
	}
	page.Incomplete = some
	items := page.Items[:0]
	for _, d := range page.Items {
		if !d.Cancelled {
			result := results[0]
			results = results[1:]
			if result.Train == nil { // not read, or deleted meanwhile
				continue
			}
			d.Availability = result.Availability
		}
		items = append(items, d)
	}
	page.Items = items
	return nil
}

// serviceDays returns the departures of a schedule between two dates, without tallies.
func (c *catalogue) serviceDays(
	id booking.ScheduleID, from, to booking.Date,
) (days []booking.DepartureStatus, found bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	s := c.schedules[id]
	if s == nil || s.runs == nil {
		return nil, false
	}
	if from == 0 {
		from = s.runs.Today(time.Now())
	}
	days = []booking.DepartureStatus{}
	add := func(date booking.Date, train *booking.Train, diverged, cancelled bool) {
		days = append(days, booking.DepartureStatus{
			Date: date, Availability: booking.Availability{Train: train, Segment: train.Run()},
			Diverged: diverged, Cancelled: cancelled,
		})
	}
	for date := range s.runs.Departures(from, to) {
		if s.row(date) == nil {
			add(date, c.computed.train(s, date), false, false)
		}
	}
	for _, l := range s.rows {
		if from <= l.date && l.date <= to {
			add(l.date, l.train, s.stored.Diverges(l.train, l.date), false)
		}
	}
	for _, date := range s.stored.Cancelled {
		if from <= date && date <= to && s.row(date) == nil && s.stored.Runs(date) {
			train := s.stored.Train(date)
			add(date, &train, true, true)
		}
	}
	slices.SortFunc(days, func(a, b booking.DepartureStatus) int { return int(a.Date - b.Date) })
	return days, true
}
