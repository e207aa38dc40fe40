package traffic

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/test/traffic/history"
)

const (
	// retryPause is the longest pause before a failed request is sent again.
	retryPause = 250 * time.Millisecond
	// requestTimeout is how long a request may take in the service (RELIABILITY.md 2).
	requestTimeout = 5 * time.Second
)

// Client sends the requests of one user. Its methods repeat a failed request until Options.Retry
// is over. They record every attempt and return the last one. It is for one goroutine.
type Client struct {
	ID   int
	User uuid.UUID

	traffic *Traffic
	random  *rand.Rand
	kept    []history.Operation // successful confirms that were not cancelled, oldest first
	last    booking.Booking     // of the last successful confirm
	bySeat  bool                // it names its holds by a seat only
}

// Over reports whether the client must stop.
func (c *Client) Over(ctx context.Context) bool {
	select {
	case <-c.traffic.stopped:
		return true
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

// Think pauses for a random time of at most d and reports whether the client may continue.
func (c *Client) Think(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return !c.Over(ctx)
	}
	return c.pause(ctx, time.Duration(c.random.Int64N(int64(d))))
}

func (c *Client) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return !c.Over(ctx)
	case <-c.traffic.stopped:
	case <-ctx.Done():
	}
	return false
}

// chance returns true with a probability of share.
func (c *Client) chance(share float64) bool { return c.random.Float64() < share }

// Send sends a request and repeats it while it fails. It does not return early when the traffic
// is stopped, because a definite response lets the checker conclude more.
func (c *Client) Send(ctx context.Context, o history.Operation, call func(context.Context, *history.Operation) error) history.Operation {
	o.Client, o.User = c.ID, c.User
	for begun := time.Now(); ; {
		sent := c.attempt(ctx, o, call)
		over := !sent.Failed() || time.Since(begun) > c.traffic.options.Retry
		pause := time.Duration(c.random.Int64N(int64(retryPause)))
		switch {
		case c.bySeat && sent.Result == history.Unknown && sent.Code != booking.CodeTimeout:
			pause += requestTimeout // until then the request may end a newer hold (decision 0009)
		case over:
			return sent
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return sent
		}
		if over {
			return sent
		}
	}
}

// attempt sends a request once and records it.
func (c *Client) attempt(ctx context.Context, o history.Operation, call func(context.Context, *history.Operation) error) history.Operation {
	if c.chance(c.traffic.options.Impatient) {
		short, cancel := context.WithTimeout(ctx, time.Duration(c.random.Int64N(int64(3*time.Millisecond))))
		defer cancel()
		ctx = short
	}
	o.Call = c.traffic.Now()
	err := call(ctx, &o)
	o.Return = c.traffic.Now()
	if o.Result == "" {
		o.Result = resultOf(err)
	}
	if err != nil {
		o.Code, o.Detail = booking.CodeOf(err), err.Error()
	}
	c.traffic.Add(o)
	return o
}

// resultOf maps the error of a booking.Service.
func resultOf(err error) history.Result {
	if err == nil {
		return history.Done
	}
	e, ok := errors.AsType[*booking.Error](err)
	switch {
	case !ok:
		return "not an error of the service"
	case e.Outcome == booking.OutcomeNotExecuted, e.Code == booking.CodeRateLimited:
		return history.NotExecuted
	case e.Outcome == booking.OutcomeUnknown, e.Code == booking.CodeInternal:
		return history.Unknown
	case e.Code == booking.CodeHoldExpired: // when it ends, the model knows
		return history.NotLocked
	}
	return history.Result(e.Code)
}

// Hold requests seats of a segment of the train. If seats is nil, it requests any count seats.
func (c *Client) Hold(ctx context.Context, train *booking.Train, legs booking.Legs, seats []int, count int) history.Operation {
	from, to := train.Ends(legs)
	request := booking.HoldRequest{
		ID: booking.NewHoldID(train.ID), User: c.User, Train: train.ID,
		Seats: seats, Count: count, From: from.Station, To: to.Station,
	}
	if seats != nil {
		request.Count = 0
	}
	held := c.Send(ctx, history.Operation{Kind: history.Hold, Train: train.ID, Seats: seats, Legs: legs},
		func(ctx context.Context, o *history.Operation) error {
			h, err := c.traffic.options.Service.Hold(ctx, request)
			if err != nil {
				return err
			}
			o.Seats, o.Hold, o.Ends = h.Seats, h.ID, c.traffic.At(h.ExpiresAt)
			if h.Legs != legs || seats == nil && len(h.Seats) != count {
				c.traffic.Violation("a hold of %d seats %s got seats %v %s", count, legs, h.Seats, h.Legs)
			}
			if o.Ends <= o.Call {
				o.Result = history.HoldEnded
			}
			return nil
		})
	if held.Result == history.Done {
		c.traffic.share(held)
	}
	return held
}

// ref returns a reference to a hold by its id, and in half of the cases also by a seat.
func (c *Client) ref(held *history.Operation) booking.HoldRef {
	if c.bySeat {
		return booking.HoldRef{User: c.User, Train: held.Train, Seat: held.Seats[0]}
	}
	ref := booking.HoldRef{User: c.User, Train: held.Train, Hold: held.Hold}
	if c.chance(0.5) {
		ref.Seat = held.Seats[c.random.IntN(len(held.Seats))]
	}
	return ref
}

// Confirm confirms a hold. That of another user must be refused.
func (c *Client) Confirm(ctx context.Context, held history.Operation) history.Operation {
	ref := c.ref(&held)
	booked := c.Send(ctx, history.Operation{Kind: history.Confirm, Train: held.Train, Seats: held.Seats, Legs: held.Legs, Hold: held.Hold},
		func(ctx context.Context, o *history.Operation) error {
			b, err := c.traffic.options.Service.Confirm(ctx, ref)
			if err == nil {
				o.Booking, c.last = b.ID, b
			}
			return err
		})
	if booked.Result == history.Done {
		c.kept = append(c.kept, booked)
	}
	return booked
}

// Release releases a hold. That of another user must be refused.
func (c *Client) Release(ctx context.Context, held history.Operation) history.Operation {
	ref := c.ref(&held)
	return c.Send(ctx, history.Operation{Kind: history.Release, Train: held.Train, Seats: held.Seats, Legs: held.Legs, Hold: held.Hold},
		func(ctx context.Context, _ *history.Operation) error {
			return c.traffic.options.Service.Release(ctx, ref)
		})
}

// Cancel cancels a booking.
func (c *Client) Cancel(ctx context.Context, booked history.Operation) history.Operation {
	return c.Send(ctx, history.Operation{Kind: history.Cancel, Train: booked.Train, Seats: booked.Seats, Legs: booked.Legs, Booking: booked.Booking},
		func(ctx context.Context, o *history.Operation) error {
			return c.traffic.options.Service.CancelBooking(ctx, c.User, o.Booking)
		})
}

// CancelOldest cancels the oldest booking of the client, if it has any.
func (c *Client) CancelOldest(ctx context.Context) {
	if len(c.kept) > 0 {
		oldest := c.kept[0]
		c.kept = c.kept[1:]
		c.Cancel(ctx, oldest)
	}
}
