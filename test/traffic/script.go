package traffic

import (
	"context"
	"slices"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/test/traffic/history"
)

// Mixed sends all kinds of requests in random order until the traffic is stopped.
func Mixed(ctx context.Context, c *Client) {
	for c.Think(ctx, c.traffic.options.Think) {
		trains := c.traffic.Trains()
		train := &trains[c.random.IntN(len(trains))]
		switch dice := c.random.IntN(100); {
		case dice < 6:
			c.SeatMap(ctx, train, c.segment(train))
		case dice < 9:
			c.Find(ctx, train)
		case dice < 11:
			c.Search(ctx, train, c.segment(train))
		case dice < 14:
			c.intrude(ctx)
		case dice < 15:
			c.cancelUnacknowledged(ctx)
		default:
			c.buy(ctx, train)
		}
	}
}

// BySeat holds the same seat again and again, and confirms or releases it by its number alone. So a
// request that is executed after its repetition ends or books a newer hold. Of n trains, client i
// wants seat i/n+1 of train i%n. It must be the only client that does, and the only one of its user.
func BySeat(ctx context.Context, c *Client) {
	c.bySeat = true
	think := c.traffic.options.Think
	for keep := think; c.Think(ctx, think); {
		trains := c.traffic.Trains()
		train, seat := &trains[c.ID%len(trains)], c.ID/len(trains)+1
		held := c.Hold(ctx, train, train.Run(), []int{seat}, 1)
		if held.Result != history.Done {
			if held.Result == history.Booked { // by a confirm with an unknown outcome
				c.cancelUnacknowledged(ctx)
			}
			continue
		}
		c.pause(ctx, keep)
		begun := c.traffic.Now()
		if c.chance(0.5) {
			c.Release(ctx, held)
		} else {
			c.Confirm(ctx, held)
		}
		keep = think
		if c.traffic.Now() > begun+requestTimeout { // the next hold is to be alive when the first request is delivered
			keep = requestTimeout / 2
		}
		c.CancelOldest(ctx)
	}
}

// segment returns a random segment of the train.
func (c *Client) segment(train *booking.Train) booking.Legs {
	last := len(train.Stops) - 1
	from := c.random.IntN(last)
	return booking.Segment(from, from+1+c.random.IntN(last-from))
}

// buy holds seats, and then confirms, releases or abandons them. The client cancels older
// bookings, so that seats become free.
func (c *Client) buy(ctx context.Context, train *booking.Train) {
	think := c.traffic.options.Think
	held := c.holdSome(ctx, train)
	if held.Result != history.Done {
		return
	}
	switch dice := c.random.IntN(100); {
	case dice < 10: // the hold expires
		return
	case dice < 25:
		c.Think(ctx, think)
		c.Release(ctx, held)
		return
	case dice < 32:
		c.awaitEnd(ctx, held)
	default:
		c.Think(ctx, 2*think)
	}
	if c.Confirm(ctx, held).Result != history.Done {
		return
	}
	c.Think(ctx, 2*think)
	for len(c.kept) > 1 || c.chance(0.25) && len(c.kept) > 0 {
		c.CancelOldest(ctx)
	}
}

// holdSome holds random seats or, in half of the cases if several may be held, any seats.
func (c *Client) holdSome(ctx context.Context, train *booking.Train) history.Operation {
	legs, count := c.segment(train), 1+c.random.IntN(c.traffic.options.MaxSeats)
	if c.traffic.options.MaxSeats > 1 && c.chance(0.5) {
		return c.Hold(ctx, train, legs, nil, count)
	}
	seats := c.random.Perm(c.traffic.options.Seats)[:1]
	seats[0]++
	if count > 1 && seats[0] < c.traffic.options.Seats {
		seats = append(seats, seats[0]+1)
	}
	return c.Hold(ctx, train, legs, seats, len(seats))
}

// awaitEnd waits until shortly before or after the end of the hold. It returns at once if the
// end is not soon.
func (c *Client) awaitEnd(ctx context.Context, held history.Operation) {
	const soon, spread = 10 * time.Second, 150 * time.Millisecond
	wait := held.Ends - c.traffic.Now()
	if wait > soon {
		return
	}
	c.pause(ctx, max(0, wait-spread+time.Duration(c.random.Int64N(int64(2*spread)))))
}

// intrude tries to confirm or to release the hold of another user, which must be refused.
func (c *Client) intrude(ctx context.Context) {
	c.traffic.mu.Lock()
	others := slices.DeleteFunc(slices.Clone(c.traffic.recent), func(o history.Operation) bool { return o.User == c.User })
	c.traffic.mu.Unlock()
	if len(others) == 0 {
		return
	}
	held := others[c.random.IntN(len(others))]
	if c.chance(0.5) {
		c.Confirm(ctx, held)
	} else {
		c.Release(ctx, held)
	}
}

// cancelUnacknowledged cancels the listed bookings of the user whose confirm no client has seen
// acknowledged yet.
func (c *Client) cancelUnacknowledged(ctx context.Context) {
	bookings, _ := c.List(ctx, booking.PageRequest{})
	for _, b := range bookings {
		if c.traffic.Count(func(o *history.Operation) bool { return history.IsBooking(o) && o.Booking == b.ID }) == 0 {
			c.Cancel(ctx, history.Operation{Train: b.Train, Seats: b.Seats, Legs: b.Legs, Booking: b.ID})
		}
	}
}

// Race holds and confirms every seat of the first train, in random order. The clients of a user
// divide the seats among them.
func Race(ctx context.Context, c *Client) {
	train := &c.traffic.Trains()[0]
	clients := max(1, c.traffic.options.Clients)
	for _, seat := range c.random.Perm(c.traffic.options.Seats) {
		if seat%clients != c.ID%clients {
			continue
		}
		if c.Over(ctx) {
			return
		}
		if held := c.Hold(ctx, train, train.Run(), []int{seat + 1}, 1); held.Result == history.Done {
			c.Confirm(ctx, held)
		}
	}
}

// Tour returns a script that books seats of the first train one after another. A turn searches,
// holds, confirms and finds the booking in the list. Every fourth turn cancels the oldest booking,
// as does a turn after which the client has more than keep. The first turn always takes place, and
// no other begins after end.
func Tour(keep int, end time.Time) Script {
	const each = 4
	return func(ctx context.Context, c *Client) {
		train := &c.traffic.Trains()[0]
		for turn := 1; ; turn++ {
			if !c.Search(ctx, train, train.Run()) && ctx.Err() == nil {
				c.traffic.Violation("the search does not find the train %s, which is on sale", train.ID)
			}
			held := c.Hold(ctx, train, train.Run(), nil, 1)
			if held.Result == history.Done {
				c.bookAndFind(ctx, held)
			}
			if len(c.kept) > keep || turn%each == 0 {
				c.CancelOldest(ctx)
			}
			if !time.Now().Before(end) || !c.pause(ctx, c.traffic.options.Think) {
				return
			}
		}
	}
}

// bookAndFind confirms a hold and requires the booking at its place in the list of the user.
func (c *Client) bookAndFind(ctx context.Context, held history.Operation) {
	booked := c.Confirm(ctx, held)
	if booked.Result != history.Done {
		return
	}
	before := booking.Cursor{At: c.last.BookedAt.Add(-time.Microsecond)}
	bookings, listed := c.List(ctx, booking.PageRequest{Limit: 1, After: before})
	if listed.Result == history.Done && (len(bookings) == 0 || bookings[0].ID != booked.Booking) {
		c.traffic.Violation("booking %s was acknowledged and is not listed", booked.Booking)
	}
}
