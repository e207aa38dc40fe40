package actors

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// onSale returns the trains that a passenger can book from one station to another at now, in the order
// in which they depart: those of a date, or, without one, all that belong to no schedule and the next
// departure of each schedule.
func (c *catalogue) onSale(from, to string, date, now time.Time) []*booking.Train {
	c.mu.RLock()
	defer c.mu.RUnlock()
	query := booking.TrainQuery{From: from, To: to, Date: date}
	parts := c.leaving(query, now, 0, func(t *booking.Train) bool { return t.Sells(now) })
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
		return c.listAll(query, now, limit)
	}
	parts := c.leaving(query, now, limit, func(*booking.Train) bool { return true })
	page := booking.PageOf(merge(parts, limit), query.Page.Limit, entry.position)
	return booking.Page[*booking.Train]{Items: trainsOf(page.Items), Next: page.Next}
}

// listAll lists the trains that belong to no schedule, and the next departure of each schedule, by the age of
// the train or schedule.
func (c *catalogue) listAll(query booking.TrainQuery, now time.Time, limit int) booking.Page[*booking.Train] {
	var all []aged
	trains := take(after(c.order, query.Page.After, byAge), limit,
		func(t *booking.Train) bool { return query.Departed || !t.SaleEnded(now) })
	for _, train := range trains {
		all = append(all, aged{byAge(train), train})
	}
	taken := 0
	for _, s := range after(c.ages, query.Page.After, (*scheduled).age) {
		if taken == limit && limit > 0 {
			break
		}
		if _, train := c.next(s, s.route, s.like.Run(), now); train != nil {
			all = append(all, aged{s.age(), train})
			taken++
		}
	}
	slices.SortFunc(all, func(a, b aged) int { return a.age.Compare(b.age) })
	page := booking.PageOf(all, query.Page.Limit, func(a aged) booking.Cursor { return a.age })
	listed := booking.Page[*booking.Train]{Items: make([]*booking.Train, len(page.Items)), Next: page.Next}
	for i, a := range page.Items {
		listed.Items[i] = a.train
	}
	return listed
}

// aged is a train in the list of all trains, or the next departure of a schedule, which has the position
// of the schedule.
type aged struct {
	age   booking.Cursor
	train *booking.Train
}

// byAge returns the position of a train in the list of all trains.
func byAge(train *booking.Train) booking.Cursor {
	return booking.Cursor{At: train.CreatedAt, ID: uuid.UUID(train.ID)}
}

// leaving returns what leaves one station for another at or after now and is to be kept, in parts that
// are in the order in which it leaves, each of at most limit (0: all).
func (c *catalogue) leaving(
	query booking.TrainQuery, now time.Time, limit int, keep func(*booking.Train) bool,
) (parts [][]entry) {
	dated := !query.Date.IsZero()
	local := booking.DateOf(query.Date)
	var next nextDepartures
	for r, segment := range c.between(query.From, query.To) {
		add := func(board []entry) {
			parts = append(parts, take(departures(board, query, now), limit, func(e entry) bool {
				return keep(e.train) && (!dated || leavesOn(e.train, segment, query.Date))
			}))
		}
		add(r.trains.board(segment))
		if dated {
			add(r.departures.board(segment))
		}
		for s := range r.schedules {
			switch {
			case !dated:
				next.add(c, s, r, segment, now)
			case s.runs != nil && s.route == r:
				add(c.leavingOn(s, segment, local, now))
			}
		}
	}
	if !dated {
		parts = append(parts, take(departures(next.board(), query, now), limit, func(entry) bool { return true }))
	}
	return parts
}

// nextDepartures are the next departures of schedules.
type nextDepartures []nextDeparture

type nextDeparture struct {
	of   *scheduled
	date booking.Date
	entry
}

func (n *nextDepartures) add(c *catalogue, s *scheduled, r *route, segment booking.Legs, now time.Time) {
	if date, train := c.next(s, r, segment, now); train != nil {
		stop, _ := segment.Bounds()
		*n = append(*n, nextDeparture{s, date, departing(train, stop)})
	}
}

// board returns one departure of each schedule, in the order in which they leave. A schedule has two if
// some of its rows have another route.
func (n nextDepartures) board() []entry {
	slices.SortFunc(n, func(a, b nextDeparture) int { return cmp.Compare(a.date, b.date) })
	seen := make(map[*scheduled]bool, len(n))
	board := make([]entry, 0, len(n))
	for _, d := range n {
		if !seen[d.of] {
			seen[d.of] = true
			board = append(board, d.entry)
		}
	}
	slices.SortFunc(board, entry.compare)
	return board
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
		leaving, arriving := c.station(from), c.station(to)
		if leaving == nil || arriving == nil {
			return
		}
		for r, i := range leaving.routes {
			j, calls := arriving.routes[r]
			if calls && r.ambiguous {
				i, j = r.like.Position(from), r.like.Position(to) // the stops of all trains are the same
			}
			if calls && i < j && !yield(r, booking.Segment(i, j)) {
				return
			}
		}
	}
}

// leavesOn reports whether the train departs on the segment on a date, by the local time of its
// Departure.
func leavesOn(train *booking.Train, segment booking.Legs, date time.Time) bool {
	at := train.Departure(segment)
	return !at.IsZero() && booking.DateOf(at) == booking.DateOf(date)
}
