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

// catalogue is the index of the trains that are not retired, in memory: by id, by age, by route and by
// station. It is a copy of what the store has up to a revision, and changes only by reading
// more of it (refresh.go). Safe for concurrent use.
type catalogue struct {
	mu       sync.RWMutex
	revision int64 // everything up to it is here; nothingSeen before the first read
	trains   map[booking.TrainID]*listing
	order    []*booking.Train    // by age
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
	due   time.Time // when it retires; zero: never
	place int       // in dueListings; -1 if it is not there
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
		c.order = append(c.order, l.train)
		l.route.trains = append(l.route.trains, l.train)
	}
}

func (c *catalogue) sort() {
	c.sortWords()
	slices.SortFunc(c.order, func(a, b *booking.Train) int { return byAge(a).Compare(byAge(b)) })
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
		c.order = insert(c.order, l.train, byAge)
		l.route.add(l.train)
	}
	c.pass(now)
}

// expire removes what has passed its time.
func (c *catalogue) expire(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pass(now)
}

// pass removes the trains that have retired at now.
func (c *catalogue) pass(now time.Time) {
	for len(c.due) > 0 && !c.due[0].due.After(now) {
		c.remove(c.due[0])
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
	l := &listing{train: train, route: r, due: train.RetiresAt(), place: -1}
	c.trains[train.ID] = l
	if !l.due.IsZero() {
		heap.Push(&c.due, l)
	}
	return l
}

func (c *catalogue) remove(l *listing) {
	delete(c.trains, l.train.ID)
	c.order = without(c.order, l.train, byAge)
	r := l.route
	r.remove(l.train)
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

// onSale returns the trains that a passenger can book from one station to another at now, in the order
// in which they depart.
func (c *catalogue) onSale(from, to string, now time.Time) []*booking.Train {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var parts [][]entry
	for r, segment := range c.between(from, to) {
		board := after(r.board(segment), departedBy(now), entry.position)
		parts = append(parts, take(board, 0, func(e entry) bool { return e.train.Sells(now) }))
	}
	return trainsOf(merge(parts, 0))
}

// list returns one page of the trains that match the query at now.
func (c *catalogue) list(query booking.TrainQuery, now time.Time) booking.Page[*booking.Train] {
	c.mu.RLock()
	defer c.mu.RUnlock()
	limit := 0 // all
	if query.Page.Limit > 0 {
		limit = query.Page.Limit + 1
	}
	if query.List() == booking.ListTrains {
		trains := take(after(c.order, query.Page.After, byAge), limit,
			func(t *booking.Train) bool { return query.Departed || !t.SaleEnded(now) })
		return booking.PageOf(trains, query.Page.Limit, byAge)
	}
	var parts [][]entry
	for r, segment := range c.between(query.From, query.To) {
		parts = append(parts, take(departures(r.board(segment), query, now), limit,
			func(e entry) bool { return query.Date.IsZero() || leavesOn(e.train, segment, query.Date) }))
	}
	page := booking.PageOf(merge(parts, limit), query.Page.Limit, entry.position)
	return booking.Page[*booking.Train]{Items: trainsOf(page.Items), Next: page.Next}
}

// departures returns the part of a board that may match the query: after its cursor, after now unless
// it includes departed trains, and within a day of its date, because a UTC offset is less than that.
func departures(board []entry, query booking.TrainQuery, now time.Time) []entry {
	board = after(board, query.Page.After, entry.position)
	if !query.Departed {
		board = after(board, departedBy(now), entry.position)
	}
	if query.Date.IsZero() {
		return board
	}
	const day = 24 * time.Hour
	y, m, d := query.Date.Date()
	date := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	board = after(board, booking.Cursor{At: date.Add(-day)}, entry.position)
	return board[:len(board)-len(after(board, booking.Cursor{At: date.Add(2 * day)}, entry.position))]
}

// departedBy returns the position of the last train that can have departed at now. Trains that have
// departed are all up to it, so no page of a list depends on which of them had at the page before.
func departedBy(now time.Time) booking.Cursor { return booking.Cursor{At: now, ID: uuid.Max} }

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
				train := r.trains[0] // the stops of all of them are the same
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

// byAge returns the position of a train in the list of all trains.
func byAge(train *booking.Train) booking.Cursor {
	return booking.Cursor{At: train.CreatedAt, ID: uuid.UUID(train.ID)}
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
