package actors

import (
	"container/heap"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// catalogue is the index of the trains and schedules that are not retired, in memory: by id, by age, by
// route and by station. It is a copy of what the store has up to a revision, and changes only by reading
// more of it (refresh.go). Safe for concurrent use.
type catalogue struct {
	mu        sync.RWMutex
	revision  int64 // everything up to it is here; nothingSeen before the first read
	trains    map[booking.TrainID]*listing
	order     []*booking.Train // that belong to no schedule, by age
	schedules map[booking.ScheduleID]*scheduled
	ages      []*scheduled // that are not deleted, by age
	routes    map[string]*route
	stations  map[string]*station // by their key
	names     map[string]*name    // the spellings of stations
	words     []word              // of all stations, in order
	loading   bool                // sort follows
	due       dueListings
	key       []byte        // of the route of the train that is added, reused
	changes   atomic.Uint64 // how often anything changed

	computed computedTrains
}

// listing is a train in the catalogue.
type listing struct {
	train *booking.Train
	route *route
	of    *scheduled   // the schedule that the train is a departure of; nil: of none
	date  booking.Date // of the departure
	due   time.Time    // when it retires; zero: never
	place int          // in dueListings; -1 if it is not there
}

// nothingSeen is below every revision.
const nothingSeen = -1

func newCatalogue() *catalogue {
	return &catalogue{
		revision: nothingSeen, trains: map[booking.TrainID]*listing{}, schedules: map[booking.ScheduleID]*scheduled{},
		routes: map[string]*route{}, stations: map[string]*station{}, names: map[string]*name{},
	}
}

// find returns the train, or nil if there is none or it has retired at now. It may be a departure that is computed.
func (c *catalogue) find(id booking.TrainID, now time.Time) *booking.Train {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if l := c.trains[id]; l != nil {
		return l.train
	}
	if train := c.departure(id); train != nil && train.RetiresAt().After(now) {
		return train
	}
	return nil // it may have a row
}

// findRow returns the train if it has a row, or nil.
func (c *catalogue) findRow(id booking.TrainID) *booking.Train {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if l := c.trains[id]; l != nil {
		return l.train
	}
	return nil
}

// findComputed returns the train if it is a departure without a row, as far as this process has read, or
// nil. It may be retired.
func (c *catalogue) findComputed(id booking.TrainID) *booking.Train {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.trains[id] != nil {
		return nil
	}
	return c.departure(id)
}

// seen returns the revision up to which the catalogue has every change.
func (c *catalogue) seen() int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.revision
}

// reached records that everything up to a revision has been applied.
func (c *catalogue) reached(revision int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revision = revision
}

// add adds trains. It must be followed by sort. It skips those that are there already: a train that
// changes during a load may be on two pages, and the next refresh reads it again.
func (c *catalogue) add(trains []booking.Train) {
	c.loading = true
	for _, train := range trains {
		if c.trains[train.ID] != nil {
			continue
		}
		l := c.index(&train)
		if l.of != nil {
			l.route.departures.trains = append(l.route.departures.trains, l.train)
			continue
		}
		c.order = append(c.order, l.train)
		l.route.trains.trains = append(l.route.trains.trains, l.train)
	}
}

// addSchedules is add for schedules.
func (c *catalogue) addSchedules(stored []persistence.StoredSchedule) {
	c.loading = true
	for i := range stored {
		if s := c.schedule(stored[i].ID); s.stored == nil {
			c.setSchedule(s, &stored[i])
		}
	}
}

func (c *catalogue) sort() {
	c.loading = false
	c.sortWords()
	slices.SortFunc(c.order, func(a, b *booking.Train) int { return byAge(a).Compare(byAge(b)) })
	slices.SortFunc(c.ages, func(a, b *scheduled) int { return a.age().Compare(b.age()) })
}

// replace replaces everything by what another catalogue has, which is not used any more.
func (c *catalogue) replace(o *catalogue, now time.Time) {
	o.sort()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revision, c.trains, c.order, c.routes, c.due = o.revision, o.trains, o.order, o.routes, o.due
	c.schedules, c.ages = o.schedules, o.ages
	c.stations, c.names, c.words = o.stations, o.names, o.words
	c.changes.Add(1)
	c.pass(now)
}

// apply applies a change of a train. It may be one that has been applied already.
func (c *catalogue) apply(change persistence.ChangedTrain, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if listed := c.trains[change.ID]; listed != nil {
		c.remove(listed)
	}
	if !change.Deleted {
		l := c.index(&change.Train)
		if l.of != nil {
			l.route.departures.add(l.train)
		} else {
			c.order = insert(c.order, l.train, byAge)
			l.route.trains.add(l.train)
		}
	}
	c.pass(now)
}

// applySchedule is apply for a schedule.
func (c *catalogue) applySchedule(stored persistence.StoredSchedule, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if retirement(&stored.Schedule).After(now) {
		c.setSchedule(c.schedule(stored.ID), &stored)
	} else if s := c.schedules[stored.ID]; s != nil {
		c.setSchedule(s, nil)
	}
}

// expire removes what has passed its time.
func (c *catalogue) expire(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pass(now)
	c.retireSchedules(now)
}

// pass removes the trains that have retired at now.
func (c *catalogue) pass(now time.Time) {
	for len(c.due) > 0 && !c.due[0].due.After(now) {
		c.remove(c.due[0])
	}
}

// index adds a train to all but the lists in order.
func (c *catalogue) index(train *booking.Train) *listing {
	c.changes.Add(1)
	l := &listing{train: train, due: train.RetiresAt(), place: -1}
	id, date, isDeparture := train.ID.Schedule()
	isDeparture = isDeparture && train.Follows != 0
	l.route = c.visit(train, !isDeparture)
	if isDeparture {
		l.of, l.date = c.schedule(id), date
		l.of.addRow(l)
	}
	c.trains[train.ID] = l
	if !l.due.IsZero() {
		heap.Push(&c.due, l)
	}
	return l
}

func (c *catalogue) remove(l *listing) {
	c.changes.Add(1)
	delete(c.trains, l.train.ID)
	if l.place >= 0 {
		heap.Remove(&c.due, l.place)
	}
	if l.of != nil {
		l.route.departures.remove(l.train)
		l.of.removeRow(l)
		c.dropUnused(l.of)
	} else {
		c.order = without(c.order, l.train, byAge)
		l.route.trains.remove(l.train)
	}
	c.leave(l.route, l.train, l.of == nil)
}

// dueListings has the listing that is due first first.
type dueListings []*listing

func (d dueListings) Len() int           { return len(d) }
func (d dueListings) Less(i, j int) bool { return d[i].due.Before(d[j].due) }
func (d dueListings) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].place, d[j].place = i, j
}

func (d *dueListings) Push(x any) {
	l := x.(*listing)
	l.place = len(*d)
	*d = append(*d, l)
}

func (d *dueListings) Pop() any {
	last := len(*d) - 1
	l := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	l.place = -1
	return l
}
