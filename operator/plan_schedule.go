package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// PlanSchedule is PlanTrain for a TrainSchedule. booking.Follow decides what happens to each departure.
func PlanSchedule(
	ctx context.Context, service PlanService, t *v1alpha1.TrainSchedule, exists bool, now time.Time,
) (Plan, error) {
	want, err := schedules{}.wanted(t)
	if err != nil {
		return plan(EffectInvalid, describe(err)), nil
	}
	if t.Spec.Suspend {
		return plan(EffectNone, planSuspended), nil
	}
	if last, is := (schedules{}).departed(t, &want, now); is {
		return plan(EffectNone, "its last departure has ended, at "+last.Format(time.RFC3339)), nil
	}
	var found *booking.ScheduleStatus
	if exists || t.Spec.ScheduleID != "" {
		if found, err = (schedules{service: service}).find(ctx, uuid.UUID(want.ID)); err != nil {
			return Plan{}, err
		}
	}
	if found == nil && soldElsewhere(t) {
		return planElsewhere(t), nil
	}
	if found == nil {
		return plan(EffectCreate, fmt.Sprintf("%s of %d seats", departures(countOnly(&want.Calendar, &booking.Calendar{}, want.Today(now))), want.Capacity)), nil
	}
	if want.Same(found.Schedule) {
		return plan(EffectNone), nil
	}
	p := plan(EffectChange, schedules{}.difference(found, &want))
	c := scheduleChange{service: service, before: found.Schedule, after: &want, now: now}
	if err := c.eachDeparture(ctx); err != nil {
		return Plan{}, err
	}
	p.Notes = append(p.Notes, c.summary()...)
	return p, nil
}

// scheduleChange collects the effects of a change of a schedule on its departures.
type scheduleChange struct {
	service       PlanService
	before, after *booking.Schedule
	now           time.Time

	// The departures with booked or held seats, those of them that are as the schedule says, and those on
	// dates that are not run any more.
	taken, follow, withdrawn int
	diverged                 []string
}

// longestRun is the number of days for which a departure may still be sold after it left.
const longestRun = booking.Date(booking.MaxLocalTime/(24*time.Hour)) + 1

// eachDeparture reads the departures that can have sales. None is sold longer than MaxSoldDaysAhead ahead.
func (c *scheduleChange) eachDeparture(ctx context.Context) error {
	today := c.before.Today(c.now)
	from, until := max(today-longestRun, booking.FirstDate), min(today+booking.MaxSoldDaysAhead+1, booking.LastDate)
	page := booking.PageRequest{Limit: booking.MaxPageLimit}
	for {
		got, err := c.service.ListDepartures(ctx, c.before.ID, from, until, page)
		if err != nil {
			return err
		}
		if got.Incomplete {
			return booking.Unavailable(booking.OutcomeNotExecuted, 0, errors.New("some departures could not be read"))
		}
		for i := range got.Items {
			if d := &got.Items[i]; !d.Cancelled && !d.Train.SaleEnded(c.now) {
				if err := c.departure(ctx, d); err != nil {
					return err
				}
			}
		}
		if page.After = got.Next; got.Next.IsZero() {
			return nil
		}
	}
}

func (c *scheduleChange) departure(ctx context.Context, d *booking.DepartureStatus) error {
	seats, err := takenSeats(ctx, c.service, &d.Availability)
	if err != nil {
		return err
	}
	to, following := booking.Follow(*d.Train, d.Date, highestOf(seats), c.before, c.after)
	switch {
	case following == booking.Dropped:
	case len(seats) == 0 && following == booking.Diverged:
		c.diverged = append(c.diverged, fmt.Sprintf("%s keeps what was changed on it alone", d.Date))
	case len(seats) > 0 && following == booking.Follows:
		c.taken++
		c.follow++
	case len(seats) > 0:
		c.taken++
		if c.before.Runs(d.Date) && !c.after.Runs(d.Date) {
			c.withdrawn++
		}
		c.diverged = append(c.diverged, fmt.Sprintf("%s %s", d.Date, c.reason(d, &to, seats)))
	}
	return nil
}

// reason describes why a departure with taken seats diverges.
func (c *scheduleChange) reason(d *booking.DepartureStatus, to *booking.Train, seats []int) string {
	is := c.after.Train(d.Date)
	sold := fmt.Sprintf("%d booked, %d held", d.Booked, d.Held)
	switch {
	case !c.after.Runs(d.Date):
		return "is withdrawn, bookings stay valid: " + sold
	case to.Capacity != is.Capacity && to.Capacity == d.Train.Capacity:
		return fmt.Sprintf("keeps its %d seats, because these are booked or held: %s", to.Capacity, ranges(above(seats, is.Capacity)))
	case !to.SameStations(&is):
		return "keeps its stations and times: " + sold
	}
	return "keeps what was changed on it alone: " + sold
}

func (c *scheduleChange) summary() (notes []string) {
	if c.taken > 0 {
		notes = append(notes, fmt.Sprintf("%s with seats in use, of which %d follow", departures(c.taken), c.follow))
	}
	today := c.after.Today(c.now)
	if n := countOnly(&c.before.Calendar, &c.after.Calendar, today) - c.withdrawn; n > 0 {
		notes = append(notes, "dropped without seats in use: "+departures(n))
	}
	if n := countOnly(&c.after.Calendar, &c.before.Calendar, today); n > 0 {
		notes = append(notes, "added: "+departures(n))
	}
	return append(notes, c.diverged...)
}

// countOnly counts the dates from one on that are in a and not in b.
func countOnly(a, b *booking.Calendar, from booking.Date) (n int) {
	for date := range a.Departures(from, booking.LastDate) {
		if !b.Runs(date) {
			n++
		}
	}
	return n
}

// PlanDeletedSchedule returns what the operator will do when the TrainSchedule is deleted.
func PlanDeletedSchedule(ctx context.Context, service PlanService, t *v1alpha1.TrainSchedule) (Plan, error) {
	id, err := scheduleID(t)
	if err != nil {
		return plan(EffectInvalid, err.Error()), nil
	}
	found, err := schedules{service: service}.find(ctx, uuid.UUID(id))
	switch {
	case err != nil:
		return Plan{}, err
	case found == nil && soldElsewhere(t):
		return planElsewhere(t), nil
	case found == nil:
		return plan(EffectDelete, "the service does not have it"), nil
	case t.Spec.DeletionPolicy == v1alpha1.DeletionCancel:
		return plan(EffectDelete, departures(found.Booked)+" with bookings, which are cancelled"), nil
	}
	return plan(EffectDelete, departures(found.Booked)+" with bookings, which the service keeps off sale"), nil
}
