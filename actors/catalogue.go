package actors

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// catalogue is the index of all trains, in memory, by id, by station and in the order of
// lists. Safe for concurrent use.
type catalogue struct {
	mu        sync.RWMutex
	trains    map[booking.TrainID]*booking.Train
	order     []*booking.Train                              // by (CreatedAt, ID)
	byStation map[string]map[booking.TrainID]*booking.Train // by folded name
	removed   map[booking.TrainID]bool                      // since begin; nil unless reconciling
}

func newCatalogue() *catalogue {
	return &catalogue{
		trains:    map[booking.TrainID]*booking.Train{},
		byStation: map[string]map[booking.TrainID]*booking.Train{},
	}
}

// find returns the train, or nil.
func (c *catalogue) find(id booking.TrainID) *booking.Train {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.trains[id]
}

// put adds the train or replaces the one with its id.
func (c *catalogue) put(train *booking.Train) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(train)
}

func (c *catalogue) set(train *booking.Train) {
	c.drop(train.ID)
	c.trains[train.ID] = train
	at, _ := c.search(listPosition(train))
	c.order = slices.Insert(c.order, at, train)
	for _, stop := range train.Stops {
		key := booking.Fold(stop.Station)
		if c.byStation[key] == nil {
			c.byStation[key] = map[booking.TrainID]*booking.Train{}
		}
		c.byStation[key][train.ID] = train
	}
}

// putNewer adds the train, or replaces an older form of it. Updates may arrive late.
func (c *catalogue) putNewer(train *booking.Train) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.trains[train.ID]; old == nil || train.UpdatedAt.After(old.UpdatedAt) {
		c.set(train)
	}
}

// removeOlder removes the train that a peer has deleted, unless it was created again since.
func (c *catalogue) removeOlder(deleted *booking.Train) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if listed := c.trains[deleted.ID]; listed != nil && !listed.CreatedAt.After(deleted.CreatedAt) {
		c.drop(deleted.ID)
	}
}

// begin returns all trains, and records the trains removed between now and reconcile.
func (c *catalogue) begin() map[booking.TrainID]*booking.Train {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removed = map[booking.TrainID]bool{}
	return maps.Clone(c.trains)
}

// reconcile makes the catalogue equal to the store, which was read after begin returned
// before. Trains that have been changed here since then are newer and are kept.
func (c *catalogue) reconcile(before map[booking.TrainID]*booking.Train, stored []booking.Train) {
	c.mu.Lock()
	defer c.mu.Unlock()
	notStored := maps.Clone(before)
	for i := range stored {
		train := &stored[i]
		delete(notStored, train.ID)
		listed := c.trains[train.ID]
		if listed != before[train.ID] || c.removed[train.ID] || listed != nil && listed.UpdatedAt.Equal(train.UpdatedAt) {
			continue
		}
		c.set(train)
	}
	for id, train := range notStored {
		if c.trains[id] == train {
			c.drop(id)
		}
	}
	c.removed = nil
}

// add adds the train unless its id is taken.
func (c *catalogue) add(train *booking.Train) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.trains[train.ID] == nil {
		c.set(train)
	}
}

// replace replaces old, which find returned, by another form of it, unless it has been replaced
// since.
func (c *catalogue) replace(old, train *booking.Train) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old != nil && c.trains[old.ID] == old && !old.UpdatedAt.Equal(train.UpdatedAt) {
		c.set(train)
	}
}

// remove removes a train that find returned (nil removes nothing), unless it has been
// replaced since.
func (c *catalogue) remove(train *booking.Train) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if train != nil && c.trains[train.ID] == train {
		c.drop(train.ID)
	}
}

func (c *catalogue) drop(id booking.TrainID) {
	train := c.trains[id]
	if train == nil {
		return
	}
	if c.removed != nil {
		c.removed[id] = true
	}
	delete(c.trains, id)
	at, _ := c.search(listPosition(train))
	c.order = slices.Delete(c.order, at, at+1)
	for _, stop := range train.Stops {
		key := booking.Fold(stop.Station)
		if delete(c.byStation[key], id); len(c.byStation[key]) == 0 {
			delete(c.byStation, key)
		}
	}
}

// between returns the trains that call at from and later at to, oldest first.
func (c *catalogue) between(from, to string) []*booking.Train {
	c.mu.RLock()
	defer c.mu.RUnlock()
	leaving, arriving := c.byStation[booking.Fold(from)], c.byStation[booking.Fold(to)]
	var found []*booking.Train
	for id, train := range leaving {
		if arriving[id] != nil && train.Position(from) < train.Position(to) {
			found = append(found, train)
		}
	}
	slices.SortFunc(found, func(a, b *booking.Train) int { return listPosition(a).Compare(listPosition(b)) })
	return found
}

// onSale returns the trains that a passenger can book from one station to another at now, oldest
// first.
func (c *catalogue) onSale(from, to string, now time.Time) []*booking.Train {
	return slices.DeleteFunc(c.between(from, to), func(train *booking.Train) bool {
		segment, err := train.Segment(from, to)
		return err != nil || !train.OnSale || train.Departed(segment, now)
	})
}

// list returns one page of the trains that match the query.
func (c *catalogue) list(query booking.TrainQuery) booking.Page[*booking.Train] {
	var found []*booking.Train
	if query.From == "" && query.To == "" {
		found = c.after(query.Page)
	} else {
		for _, train := range c.between(query.From, query.To) {
			if listPosition(train).Compare(query.Page.After) > 0 && leavesOn(train, query) {
				found = append(found, train)
			}
		}
	}
	return booking.PageOf(found, query.Page.Limit, listPosition)
}

// after returns the trains that come after the cursor, one more than the limit.
func (c *catalogue) after(page booking.PageRequest) []*booking.Train {
	c.mu.RLock()
	defer c.mu.RUnlock()
	at, found := c.search(page.After)
	if found {
		at++
	}
	end := len(c.order)
	if page.Limit > 0 {
		end = min(end, at+page.Limit+1)
	}
	return slices.Clone(c.order[at:end])
}

// leavesOn reports whether the train departs from the query's station on its date.
func leavesOn(train *booking.Train, query booking.TrainQuery) bool {
	if query.Date.IsZero() {
		return true
	}
	departs := train.Stops[train.Position(query.From)].DepartsAt
	y, m, d := departs.Date()
	wantY, wantM, wantD := query.Date.Date()
	return !departs.IsZero() && y == wantY && m == wantM && d == wantD
}

// search returns the index of a position in the order of lists.
func (c *catalogue) search(position booking.Cursor) (at int, found bool) {
	return slices.BinarySearchFunc(c.order, position, func(t *booking.Train, p booking.Cursor) int {
		return listPosition(t).Compare(p)
	})
}

// listPosition returns the position of a train in lists.
func listPosition(train *booking.Train) booking.Cursor {
	return booking.Cursor{At: train.CreatedAt, ID: uuid.UUID(train.ID)}
}
