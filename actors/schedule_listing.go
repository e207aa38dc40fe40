package actors

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// scheduled is a schedule in the catalogue, with those of its departures that have a row. The others are
// computed when they are asked for.
type scheduled struct {
	id     booking.ScheduleID
	stored *persistence.StoredSchedule // nil: it has retired, and only rows are left
	// runs is the schedule without the departures that were cancelled; nil if it is deleted or retired.
	runs  *booking.Schedule
	route *route         // that runs has
	like  *booking.Train // a train with the stops of runs
	rows  []*listing     // by date
	// retires is when the departure of the last date is retired.
	retires time.Time
}

// retirement returns when the departure of the last date is retired.
func retirement(s *booking.Schedule) time.Time {
	last := s.Train(s.Until)
	return last.RetiresAt()
}

// schedule returns the entry of a schedule, and adds it if there is none.
func (c *catalogue) schedule(id booking.ScheduleID) *scheduled {
	s := c.schedules[id]
	if s == nil {
		s = &scheduled{id: id}
		c.schedules[id] = s
	}
	return s
}

// setSchedule replaces what is stored of a schedule; nil: it has retired.
func (c *catalogue) setSchedule(s *scheduled, stored *persistence.StoredSchedule) {
	c.changes.Add(1)
	if s.runs != nil {
		c.ages = without(c.ages, s, (*scheduled).age)
		s.route.detach(s)
		c.leave(s.route, s.like, true)
	}
	s.stored, s.runs, s.route, s.like = stored, nil, nil, nil
	if stored != nil {
		s.retires = retirement(&stored.Schedule)
	}
	if stored != nil && stored.Deletion == nil {
		runs := stored.Without(stored.Cancelled)
		like := runs.Train(runs.From)
		s.runs, s.like, s.route = &runs, &like, c.visit(&like, true)
		s.route.attach(s)
		c.addAge(s)
	}
	c.dropUnused(s)
}

// addAge adds a schedule to the list of all, unless sort orders it later.
func (c *catalogue) addAge(s *scheduled) {
	if c.loading {
		c.ages = append(c.ages, s)
		return
	}
	c.ages = insert(c.ages, s, (*scheduled).age)
}

// dropUnused removes the entry of a schedule that has retired with all of its departures.
func (c *catalogue) dropUnused(s *scheduled) {
	if s.stored == nil && len(s.rows) == 0 {
		delete(c.schedules, s.id)
	}
}

// retireSchedules removes the schedules that have retired at now.
func (c *catalogue) retireSchedules(now time.Time) {
	for _, s := range c.schedules {
		if s.stored != nil && !s.retires.After(now) {
			c.setSchedule(s, nil)
		}
	}
}

// age returns the position of the schedule in the list of all schedules.
func (s *scheduled) age() booking.Cursor {
	return booking.Cursor{At: s.stored.CreatedAt, ID: uuid.UUID(s.id)}
}

// row returns the row of the departure on a date, or nil.
func (s *scheduled) row(date booking.Date) *listing {
	if i, found := s.search(date); found {
		return s.rows[i]
	}
	return nil
}

func (s *scheduled) search(date booking.Date) (at int, found bool) {
	return slices.BinarySearchFunc(s.rows, date, func(l *listing, date booking.Date) int { return cmp.Compare(l.date, date) })
}

func (s *scheduled) addRow(l *listing) {
	at, _ := s.search(l.date)
	s.rows = slices.Insert(s.rows, at, l)
	l.route.attach(s)
}

func (s *scheduled) removeRow(l *listing) {
	at, _ := s.search(l.date)
	s.rows = slices.Delete(s.rows, at, at+1)
	l.route.detach(s)
}

// next returns the first departure on a route that a passenger can book on the segment at now, or nil.
func (c *catalogue) next(s *scheduled, r *route, segment booking.Legs, now time.Time) (booking.Date, *booking.Train) {
	i := slices.IndexFunc(s.rows, func(l *listing) bool {
		return l.route == r && l.train.Sells(now) && !l.train.Departed(segment, now)
	})
	if s.runs != nil && s.route == r {
		for date := range s.runs.Bookable(segment, now) {
			if i >= 0 && s.rows[i].date < date {
				break
			}
			if s.row(date) == nil {
				return date, c.computed.train(s, date)
			}
		}
	}
	if i < 0 {
		return 0, nil
	}
	return s.rows[i].date, s.rows[i].train
}

// leavingOn returns the departures without a row that leave on a local date where the segment begins, in
// the order in which they leave, without those that are retired at now.
func (c *catalogue) leavingOn(
	s *scheduled, segment booking.Legs, local booking.Date, now time.Time,
) (leaving []entry) {
	stop, _ := segment.Bounds()
	for date := range s.runs.LeavingOn(segment, local) {
		if s.row(date) != nil {
			continue
		}
		if train := c.computed.train(s, date); train.RetiresAt().After(now) {
			leaving = append(leaving, departing(train, stop))
		}
	}
	return leaving
}

// departure returns the departure with an id as its schedule defines it, which may be retired, or nil if it does
// not run.
func (c *catalogue) departure(id booking.TrainID) *booking.Train {
	schedule, date, ok := id.Schedule()
	s := c.schedules[schedule]
	if !ok || s == nil || s.runs == nil || !s.runs.Runs(date) {
		return nil
	}
	return c.computed.train(s, date)
}

// toCreate returns what an adoption needs to create the row of a departure, or nil if it has one, or the id
// is not that of a departure that runs.
func (c *catalogue) toCreate(id booking.TrainID, now time.Time) *persistence.Departure {
	c.mu.RLock()
	defer c.mu.RUnlock()
	train := c.departure(id)
	if train == nil || c.trains[id] != nil {
		return nil
	}
	schedule, _, _ := id.Schedule()
	return &persistence.Departure{
		Train: *train, Revision: c.schedules[schedule].stored.Revision, Restored: now.UTC().Truncate(time.Microsecond),
	}
}

// follows returns the definition that a train with an id is to follow when it is created: that of the
// schedule whose departure it is, or 0.
func (c *catalogue) follows(id booking.TrainID) int64 {
	schedule, _, _ := id.Schedule()
	c.mu.RLock()
	defer c.mu.RUnlock()
	if s := c.schedules[schedule]; s != nil && s.runs != nil {
		return s.stored.Defined
	}
	return 0
}

// maxComputed bounds the departures that are kept: they have about a kilobyte each.
const maxComputed = 20_000

// computedTrains keeps departures that were computed, so that queries for one of them get the same
// train: passive snapshots are kept for a train. Safe for concurrent use.
type computedTrains struct {
	mu     sync.Mutex
	trains map[booking.TrainID]computedTrain
}

type computedTrain struct {
	of    *booking.Schedule
	train *booking.Train
}

// train returns the departure of a schedule on a date.
func (c *computedTrains) train(s *scheduled, date booking.Date) *booking.Train {
	id := s.id.Departure(date)
	c.mu.Lock()
	defer c.mu.Unlock()
	if kept, found := c.trains[id]; found && kept.of == s.runs {
		return kept.train
	}
	for other := range c.trains {
		if len(c.trains) < maxComputed {
			break
		}
		delete(c.trains, other)
	}
	train := s.runs.Train(date)
	train.Follows = s.stored.Defined
	if c.trains == nil {
		c.trains = map[booking.TrainID]computedTrain{}
	}
	c.trains[id] = computedTrain{s.runs, &train}
	return &train
}
