package actors

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// maxSettled bounds the departures of a call that are settled at the same time.
const maxSettled = 32

// unsettled is a departure with a row that follows an earlier definition of its schedule than the present
// one.
type unsettled struct {
	id      booking.TrainID
	date    booking.Date
	follows int64
	to      *persistence.StoredSchedule
}

// unsettled returns the departures of a schedule that do not follow its definition. Those that have left
// every stop stay as they are.
func (c *catalogue) unsettled(id booking.ScheduleID, now time.Time) []unsettled {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.schedules[id].unsettled(now)
}

// allUnsettled returns the departures of all schedules that do not follow their definition.
func (c *catalogue) allUnsettled(now time.Time) (all []unsettled) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, s := range c.schedules {
		all = append(all, s.unsettled(now)...)
	}
	return all
}

func (s *scheduled) unsettled(now time.Time) (found []unsettled) {
	if s == nil || s.stored == nil {
		return nil
	}
	for _, l := range s.rows {
		if l.train.Follows != s.stored.Defined && !l.train.SaleEnded(now) {
			found = append(found, unsettled{l.train.ID, l.date, l.train.Follows, s.stored})
		}
	}
	return found
}

// settle makes departures follow the definitions of their schedules. Each is a command to the activation
// of the departure, which decides by the seats that are taken. The error is that of one that failed.
func (s *System) settle(ctx context.Context, departures []unsettled) error {
	var group errgroup.Group
	group.SetLimit(maxSettled)
	for _, u := range departures {
		group.Go(func() error { return s.settleOne(ctx, &u) })
	}
	return group.Wait()
}

func (s *System) settleOne(ctx context.Context, u *unsettled) error {
	after := u.to.Schedule
	if deletion := u.to.Deletion; deletion != nil {
		after = after.Ended()
		remove := activation.Delete{Force: deletion.Mode == booking.CancelBooked, Follows: u.follows}
		_, _, err := sendRequest[empty](ctx, s, u.id, remove)
		if booking.CodeOf(err) != booking.CodeHasBookings {
			return ignoreNotFound(err)
		}
	}
	schedule, _, _ := u.id.Schedule()
	before, err := s.store.FormerSchedule(ctx, schedule, u.follows)
	if err != nil {
		return fmt.Errorf("the definition %d of schedule %s: %w", u.follows, schedule, err)
	}
	_, _, err = sendRequest[booking.Train](ctx, s, u.id, activation.Follow{
		Date: u.date, Before: before, After: after, From: u.follows, To: u.to.Defined,
	})
	return ignoreNotFound(err)
}

// ignoreNotFound returns the error unless the train was deleted meanwhile.
func ignoreNotFound(err error) error {
	if booking.CodeOf(err) == booking.CodeNotFound {
		return nil
	}
	return err
}

// settlePeriodically settles the departures that this process owns, until ctx ends.
func (s *System) settlePeriodically(ctx context.Context) {
	tick := time.NewTicker(refreshInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.settleOwn(ctx)
		}
	}
}

// settleOwn settles the departures that this process owns and that the process that changed their
// schedules has not settled: it may have died.
func (s *System) settleOwn(ctx context.Context) {
	var own []unsettled
	for _, u := range s.catalogue.allUnsettled(time.Now()) {
		if s.proposedHere(u.id) {
			own = append(own, u)
		}
	}
	if err := s.settle(ctx, own); err != nil && ctx.Err() == nil {
		s.log.Warn("departures do not follow their schedule yet", slog.Int("departures", len(own)), slog.Any("error", err))
	}
}
