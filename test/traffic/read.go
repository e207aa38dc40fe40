package traffic

import (
	"context"

	"trainbooking.dev/booking"
	"trainbooking.dev/test/traffic/history"
)

// The operations that the checker ignores, because their responses do not name seats.
const (
	kindFind   history.Kind = "find train"
	kindSearch history.Kind = "search"
	kindList   history.Kind = "list bookings"
)

// SeatMap requests the seat map of a segment and records the seats that clients want.
func (c *Client) SeatMap(ctx context.Context, train *booking.Train, legs booking.Legs) {
	from, to := train.Ends(legs)
	c.Send(ctx, history.Operation{Kind: history.SeatMap, Train: train.ID, Legs: legs},
		func(ctx context.Context, o *history.Operation) error {
			seats, err := c.traffic.options.Service.SeatMap(ctx, train.ID, from.Station, to.Station)
			for i, seat := range seats {
				if seat.Number != i+1 {
					c.traffic.Violation("the seat map of train %s has seat %d at position %d", train.ID, seat.Number, i)
				}
				if seat.Number <= c.traffic.options.Seats {
					o.Seats, o.States = append(o.Seats, seat.Number), append(o.States, seat.State)
				}
			}
			if err == nil && len(o.Seats) != c.traffic.options.Seats {
				c.traffic.Violation("I10: the seat map of train %s has %d seats", train.ID, len(seats))
			}
			return err
		})
}

// Find requests the figures of a train.
func (c *Client) Find(ctx context.Context, train *booking.Train) {
	c.Send(ctx, history.Operation{Kind: kindFind, Train: train.ID}, func(ctx context.Context, _ *history.Operation) error {
		found, err := c.traffic.options.Service.FindTrain(ctx, train.ID)
		if err == nil {
			c.checkTally(found)
		}
		return err
	})
}

// Search searches by the stations of a segment, and the date on which the train leaves if that is known, and
// reports whether the train was found.
func (c *Client) Search(ctx context.Context, train *booking.Train, legs booking.Legs) (found bool) {
	from, to := train.Ends(legs)
	c.Send(ctx, history.Operation{Kind: kindSearch, Train: train.ID, Legs: legs}, func(ctx context.Context, _ *history.Operation) error {
		offered, err := c.traffic.options.Service.Search(ctx, from.Station, to.Station, from.DepartsAt)
		for _, a := range offered.Trains {
			c.checkTally(a)
			found = found || a.Train.ID == train.ID
		}
		return err
	})
	return found
}

// checkTally checks I10.
func (c *Client) checkTally(a booking.Availability) {
	if a.Booked < 0 || a.Held < 0 || a.Available < 0 || a.Booked+a.Held+a.Available != a.Train.Capacity {
		c.traffic.Violation("I10: train %s with %d seats: %+v", a.Train.ID, a.Train.Capacity, a.Tally)
	}
}

// List requests a page of the bookings of the user.
func (c *Client) List(ctx context.Context, page booking.PageRequest) ([]booking.Booking, history.Operation) {
	var bookings []booking.Booking
	listed := c.Send(ctx, history.Operation{Kind: kindList}, func(ctx context.Context, _ *history.Operation) error {
		found, err := c.traffic.options.Service.UserBookings(ctx, c.User, page)
		bookings = bookings[:0]
		for _, b := range found.Items {
			bookings = append(bookings, b.Booking)
		}
		return err
	})
	return bookings, listed
}
