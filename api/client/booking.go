package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// bookingJSON is a booking in a response.
type bookingJSON struct {
	ID    uuid.UUID       `json:"booking_id"`
	Train booking.TrainID `json:"train_id"`
	Seats []seatJSON      `json:"seats"`
	segmentJSON
	BookedAt    time.Time         `json:"booked_at"`
	CancelledAt time.Time         `json:"cancelled_at"`
	CancelledBy booking.Canceller `json:"cancelled_by"`
}

func (b bookingJSON) booking(user uuid.UUID) (booking.Booking, error) {
	legs, err := b.legs()
	if err == nil && (b.ID == uuid.Nil || len(b.Seats) == 0) {
		err = errors.New("not a booking")
	}
	return booking.Booking{
		ID: b.ID, Train: b.Train, User: user, Legs: legs, Seats: seatNumbers(b.Seats), BookedAt: b.BookedAt.UTC(),
		CancelledAt: b.CancelledAt.UTC(), CancelledBy: b.CancelledBy,
	}, err
}

// bookedTrainJSON is a booking with its user and train.
type bookedTrainJSON struct {
	bookingJSON
	User uuid.UUID  `json:"user_id"`
	On   *trainJSON `json:"train"` // nil: unknown
}

func (b bookedTrainJSON) bookedTrain() (booking.BookedTrain, error) {
	booked, err := b.booking(b.User)
	if err != nil || b.On == nil {
		return booking.BookedTrain{Booking: booked}, err
	}
	train, err := b.On.train()
	return booking.BookedTrain{Booking: booked, On: &train}, err
}

// CancelBooking makes the seats of the booking, or some of them, available again; see booking.Bookings.
// It is idempotent.
func (c *Client) CancelBooking(ctx context.Context, user, id uuid.UUID, seats ...int) error {
	r := request{
		operation: "CancelBooking", method: http.MethodDelete, path: "/v1/bookings/" + id.String(), user: user,
		success: []int{http.StatusNoContent},
	}
	if len(seats) > 0 {
		r.body = someSeats{seats}
	}
	return c.send(ctx, r, nil)
}

// CancelAnyBooking cancels a booking of any user; see booking.Bookings. It needs the token of an admin.
func (c *Client) CancelAnyBooking(ctx context.Context, admin, id uuid.UUID, seats ...int) error {
	return c.CancelBooking(ctx, admin, id, seats...)
}

// ExchangeBooking books a hold in place of a booking; see booking.Bookings. It is idempotent.
func (c *Client) ExchangeBooking(ctx context.Context, user, id uuid.UUID, hold booking.HoldID) (booking.Booking, error) {
	booked, err := do(ctx, c, request{
		operation: "ExchangeBooking", method: http.MethodPost, path: "/v1/bookings/" + id.String() + "/exchange", user: user,
		body: struct {
			Hold booking.HoldID `json:"hold_id"`
		}{hold},
	}, func(b bookingJSON) (booking.Booking, error) { return b.booking(user) })
	if booking.CodeOf(err) != booking.CodeNotFound {
		return booked, err
	}
	if _, noBooking := c.FindBooking(ctx, user, id); booking.CodeOf(noBooking) == booking.CodeNotFound {
		return booked, noBooking
	}
	return booked, notLocked()
}

// FindBooking returns a booking of user, which may be cancelled; see booking.Bookings.
func (c *Client) FindBooking(ctx context.Context, user, id uuid.UUID) (booking.BookedTrain, error) {
	return do(ctx, c, request{
		operation: "FindBooking", method: http.MethodGet, path: "/v1/bookings/" + id.String(), user: user,
	}, bookedTrainJSON.bookedTrain)
}

// FindAnyBooking returns a booking of any user; see booking.Bookings. It needs the token of an admin.
func (c *Client) FindAnyBooking(ctx context.Context, id uuid.UUID) (booking.BookedTrain, error) {
	return c.FindBooking(ctx, uuid.Nil, id)
}

// UserBookings returns the bookings of user in one state, oldest or newest first; see booking.Bookings.
func (c *Client) UserBookings(
	ctx context.Context, user uuid.UUID, page booking.PageRequest,
) (booking.Page[booking.BookedTrain], error) {
	return c.userBookings(ctx, page, request{operation: "UserBookings", path: "/v1/bookings", user: user})
}

// AnyUserBookings is UserBookings with the token of an admin. Error: not_found if there has never been
// such a user.
func (c *Client) AnyUserBookings(
	ctx context.Context, user uuid.UUID, page booking.PageRequest,
) (booking.Page[booking.BookedTrain], error) {
	return c.userBookings(ctx, page, request{
		operation: "AnyUserBookings", path: "/v1/users/" + user.String() + "/bookings",
	})
}

func (c *Client) userBookings(
	ctx context.Context, page booking.PageRequest, r request,
) (booking.Page[booking.BookedTrain], error) {
	order := "oldest"
	if page.NewestFirst {
		order = "newest"
	}
	return c.bookings(ctx, page, page.UserBookings(), url.Values{"order": {order}}, r)
}

// TrainBookings returns the bookings of a train in one state, oldest first; see booking.Bookings.
// It needs the token of an admin; the service token is not enough.
func (c *Client) TrainBookings(
	ctx context.Context, id booking.TrainID, page booking.PageRequest,
) (booking.Page[booking.BookedTrain], error) {
	return c.bookings(ctx, page, page.TrainBookings(), url.Values{}, request{
		operation: "TrainBookings", path: trainPath(id) + "/bookings",
	})
}

// bookings fetches a page of a list of bookings.
func (c *Client) bookings(
	ctx context.Context, page booking.PageRequest, of booking.List, query url.Values, r request,
) (booking.Page[booking.BookedTrain], error) {
	if page.Cancelled {
		query.Set("state", string(booking.BookingCancelled))
	}
	convert := pageOf(of, bookedTrainJSON.bookedTrain)
	return fetchList(ctx, page, func(
		ctx context.Context, page booking.PageRequest,
	) (booking.Page[booking.BookedTrain], error) {
		r.method, r.query = http.MethodGet, pageQuery(query, of, page)
		return do(ctx, c, r, convert)
	})
}
