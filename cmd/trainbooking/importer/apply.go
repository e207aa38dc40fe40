package importer

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"trainbooking.dev/booking"
	"trainbooking.dev/gtfs"
)

// concurrency is how many schedules are changed at the same time. A service stores what arrives together in
// one transaction.
const concurrency = 8

// Apply does what a plan says, in any order, but ends schedules at last. done, which may be nil, is called
// with the number of steps that were done, by one goroutine at a time.
func (p *Plan) Apply(ctx context.Context, service booking.Schedules, t *gtfs.Timetable, done func(n int)) error {
	a := &applying{service: service, done: done}
	if err := a.put(ctx, p, t); err != nil {
		return err
	}
	return a.end(ctx, p)
}

type applying struct {
	service booking.Schedules
	done    func(int)
	mu      sync.Mutex
	steps   int
}

// put creates and changes schedules. Their steps are in the order of the trains.
func (a *applying) put(ctx context.Context, p *Plan, t *gtfs.Timetable) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	next, index := 0, -1
	for train := range t.Trains() {
		index++
		for next < len(p.Steps) && p.Steps[next].Action != End && p.Steps[next].train < index {
			next++
		}
		if next == len(p.Steps) || p.Steps[next].Action == End || ctx.Err() != nil {
			break
		}
		step := &p.Steps[next]
		if step.train != index || step.Action == Keep {
			continue
		}
		schedule := train.Schedule
		schedule.ID, schedule.Calendar, schedule.OnSale = step.ID, step.calendar, step.onSale
		group.Go(func() error {
			_, _, err := a.service.PutSchedule(ctx, schedule)
			return a.finish(err, schedule.Name)
		})
	}
	return group.Wait()
}

func (a *applying) end(ctx context.Context, p *Plan) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for i := range p.Steps {
		step := &p.Steps[i]
		if step.Action != End {
			continue
		}
		group.Go(func() error {
			err := a.service.DeleteSchedule(ctx, step.ID, booking.RetainBooked)
			if booking.CodeOf(err) == booking.CodeNotFound {
				err = nil // somebody else was faster
			}
			return a.finish(err, step.Name)
		})
	}
	return group.Wait()
}

func (a *applying) finish(err error, name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		return fmt.Errorf("%s: %w; after %d changes, and the next import does the rest", name, err, a.steps)
	}
	a.steps++
	if a.done != nil {
		a.done(a.steps)
	}
	return nil
}
