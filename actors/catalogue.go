package actors

import (
	"container/heap"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// catalogue is the index of the trains that are not retired, in memory: by id, by route, by station
// and in the order of lists. It is a copy of what the store has up to a revision, and changes only by reading
// more of it (refresh.go). Safe for concurrent use.
type catalogue struct {
	mu       sync.RWMutex
	revision int64 // everything up to it is here; nothingSeen before the first read
	trains   map[booking.TrainID]*listing
	order    []*listing          // in the order of lists
	routes   map[string]*route   // by their key
	stations map[string]*station // by their key
	names    map[string]*name    // the spellings of stations
	words    []word              // of all stations, in order
	due      dueListings
	key      []byte // of the route of the train that is added, reused
}

// listing is a train in the catalogue.
type listing struct {
	train *booking.Train
	route *route
	due   time.Time // when its sale ends or, after that, when it retires; zero: never
	place int       // in dueListings; -1 if it is not there
}

// route is a sequence of stations, with the trains that call there. Trains of many days share it.
type route struct {
	key       string     // the folded names of its stops, each with a 0 after it
	stations  []*station // each once
	ambiguous bool       // two stops have one search key
	trains    []*listing
	open      []*listing // of trains, those whose sale has not ended
}

// nothingSeen is below every revision.
const nothingSeen = -1

func newCatalogue() *catalogue {
	return &catalogue{
		revision: nothingSeen, trains: map[booking.TrainID]*listing{},
		routes: map[string]*route{}, stations: map[string]*station{}, names: map[string]*name{},
	}
}

// find returns the train, or nil.
func (c *catalogue) find(id booking.TrainID) *booking.Train {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if l := c.trains[id]; l != nil {
		return l.train
	}
	return nil
}

// seen returns the revision up to which the catalogue has every change.
func (c *catalogue) seen() int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.revision
}

// skip records that there are no changes up to a revision.
func (c *catalogue) skip(revision int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revision = revision
}

// add adds trains. It must be followed by sort. It skips those that are there already: a train that
// changes during a load may be on two pages, and the next refresh reads it again.
func (c *catalogue) add(trains []booking.Train) {
	for _, train := range trains {
		if c.trains[train.ID] != nil {
			continue
		}
		l := c.index(&train)
		c.order = append(c.order, l)
		l.route.trains, l.route.open = append(l.route.trains, l), append(l.route.open, l)
	}
}

func (c *catalogue) sort() {
	c.sortWords()
	slices.SortFunc(c.order, byPosition)
	for _, r := range c.routes {
		slices.SortFunc(r.trains, byPosition)
		slices.SortFunc(r.open, byPosition)
	}
}

// replace replaces everything by what another catalogue has, which is not used any more.
func (c *catalogue) replace(o *catalogue, now time.Time) {
	o.sort()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revision, c.trains, c.order, c.routes, c.due = o.revision, o.trains, o.order, o.routes, o.due
	c.stations, c.names, c.words = o.stations, o.names, o.words
	c.pass(now)
}

// apply applies the next change.
func (c *catalogue) apply(change persistence.ChangedTrain, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revision = change.Revision
	if listed := c.trains[change.ID]; listed != nil {
		c.remove(listed)
	}
	if !change.Deleted {
		l := c.index(&change.Train)
		c.addWords(l)
		c.order = insert(c.order, l)
		l.route.trains, l.route.open = insert(l.route.trains, l), insert(l.route.open, l)
	}
	c.pass(now)
}

// expire removes what has passed its time.
func (c *catalogue) expire(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pass(now)
}

// pass ends the sale of trains and removes those that have retired at now.
func (c *catalogue) pass(now time.Time) {
	for len(c.due) > 0 && !c.due[0].due.After(now) {
		l := c.due[0]
		retires := l.train.RetiresAt()
		if !retires.After(now) {
			c.remove(l)
			continue
		}
		l.route.open = without(l.route.open, l)
		l.due = retires
		heap.Fix(&c.due, 0)
	}
}

// index adds a train to all but the lists in order.
func (c *catalogue) index(train *booking.Train) *listing {
	c.key = c.key[:0]
	for _, stop := range train.Stops {
		n := c.spell(stop.Station)
		n.trains++
		c.key = append(append(c.key, n.folded...), 0)
	}
	r := c.routes[string(c.key)]
	if r == nil {
		r = c.addRoute(string(c.key), train)
	}
	for _, s := range r.stations {
		s.trains++
	}
	l := &listing{train: train, route: r, due: train.SaleEnds(), place: -1}
	if l.due.IsZero() {
		l.due = train.RetiresAt()
	}
	c.trains[train.ID] = l
	if !l.due.IsZero() {
		heap.Push(&c.due, l)
	}
	return l
}

// addRoute adds the route of a train.
func (c *catalogue) addRoute(key string, train *booking.Train) *route {
	r := &route{key: key}
	c.routes[key] = r
	for i, stop := range train.Stops {
		s := c.spell(stop.Station).station
		if _, twice := s.routes[r]; twice {
			r.ambiguous = true
			continue
		}
		s.routes[r] = i
		r.stations = append(r.stations, s)
	}
	return r
}

func (c *catalogue) remove(l *listing) {
	delete(c.trains, l.train.ID)
	c.order = without(c.order, l)
	r := l.route
	r.trains, r.open = without(r.trains, l), without(r.open, l)
	if l.place >= 0 {
		heap.Remove(&c.due, l.place)
	}
	c.leave(l)
	if len(r.trains) > 0 {
		return
	}
	delete(c.routes, r.key)
	for _, s := range r.stations {
		delete(s.routes, r)
	}
}

// onSale returns the trains that a passenger can book from one station to another at now, in the
// order of lists.
func (c *catalogue) onSale(from, to string, now time.Time) []*booking.Train {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var parts [][]*listing
	for r, segment := range c.between(from, to) {
		part := make([]*listing, 0, len(r.open))
		for _, l := range r.open {
			if l.train.OnSale && !l.train.Departed(segment, now) {
				part = append(part, l)
			}
		}
		parts = append(parts, part)
	}
	return trainsOf(merge(parts, 0))
}

// list returns one page of the trains that match the query.
func (c *catalogue) list(query booking.TrainQuery) booking.Page[*booking.Train] {
	c.mu.RLock()
	defer c.mu.RUnlock()
	limit := 0 // all
	if query.Page.Limit > 0 {
		limit = query.Page.Limit + 1
	}
	parts := [][]*listing{after(c.order, query.Page.After)}
	if query.From != "" || query.To != "" {
		parts = nil
		for r, segment := range c.between(query.From, query.To) {
			part := after(r.trains, query.Page.After)
			if !query.Date.IsZero() {
				part = slices.DeleteFunc(slices.Clone(part), func(l *listing) bool { return !leavesOn(l.train, segment, query.Date) })
			}
			parts = append(parts, part)
		}
	}
	return booking.PageOf(trainsOf(merge(parts, limit)), query.Page.Limit, listPosition)
}

// between yields the routes that call at from and later at to, with the legs between them.
func (c *catalogue) between(from, to string) iter.Seq2[*route, booking.Legs] {
	return func(yield func(*route, booking.Legs) bool) {
		leaving, arriving := c.stations[booking.SearchKey(from)], c.stations[booking.SearchKey(to)]
		if leaving == nil || arriving == nil {
			return
		}
		for r, i := range leaving.routes {
			j, calls := arriving.routes[r]
			if calls && r.ambiguous {
				train := r.trains[0].train // the stops of all of them are the same
				i, j = train.Position(from), train.Position(to)
			}
			if calls && i < j && !yield(r, booking.Segment(i, j)) {
				return
			}
		}
	}
}

// leavesOn reports whether the train departs on the segment on a date, by the local time there.
func leavesOn(train *booking.Train, segment booking.Legs, date time.Time) bool {
	from, _ := train.Ends(segment)
	at := from.DepartsAt
	if at.IsZero() {
		at = from.ArrivesAt
	}
	y, m, d := at.Date()
	wantY, wantM, wantD := date.Date()
	return !at.IsZero() && y == wantY && m == wantM && d == wantD
}

// listPosition returns the position of a train in lists: by age.
func listPosition(train *booking.Train) booking.Cursor {
	return booking.Cursor{At: train.CreatedAt, ID: uuid.UUID(train.ID)}
}

func byPosition(a, b *listing) int { return listPosition(a.train).Compare(listPosition(b.train)) }

// after returns the listings that come after a position.
func after(listings []*listing, position booking.Cursor) []*listing {
	at, found := slices.BinarySearchFunc(listings, position, func(l *listing, p booking.Cursor) int {
		return listPosition(l.train).Compare(p)
	})
	if found {
		at++
	}
	return listings[at:]
}

func insert(listings []*listing, l *listing) []*listing {
	at, _ := slices.BinarySearchFunc(listings, l, byPosition)
	return slices.Insert(listings, at, l)
}

// without removes a listing, if it is there.
func without(listings []*listing, l *listing) []*listing {
	if at, found := slices.BinarySearchFunc(listings, l, byPosition); found {
		return slices.Delete(listings, at, at+1)
	}
	return listings
}

// merge returns what ordered lists contain, in order, at most limit (0: all).
func merge(parts [][]*listing, limit int) []*listing {
	parts = slices.DeleteFunc(parts, func(part []*listing) bool { return len(part) == 0 })
	total := 0
	for _, part := range parts {
		total += len(part)
	}
	if limit == 0 {
		limit = total
	}
	if len(parts) == 1 {
		return parts[0][:min(limit, total)]
	}
	heads := mergeHeap(parts)
	heap.Init(&heads)
	merged := make([]*listing, 0, min(limit, total))
	for len(merged) < limit && len(heads) > 0 {
		merged = append(merged, heads[0][0])
		if heads[0] = heads[0][1:]; len(heads[0]) == 0 {
			heap.Pop(&heads)
		} else {
			heap.Fix(&heads, 0)
		}
	}
	return merged
}

func trainsOf(listings []*listing) []*booking.Train {
	trains := make([]*booking.Train, len(listings))
	for i, l := range listings {
		trains[i] = l.train
	}
	return trains
}

// mergeHeap has the list with the first head first. No list is empty.
type mergeHeap [][]*listing

func (h mergeHeap) Len() int           { return len(h) }
func (h mergeHeap) Less(i, j int) bool { return byPosition(h[i][0], h[j][0]) < 0 }
func (h mergeHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *mergeHeap) Push(x any)        { *h = append(*h, x.([]*listing)) }
func (h *mergeHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
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
