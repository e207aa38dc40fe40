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
	BookedAt time.Time `json:"booked_at"`
}

func (b bookingJSON) booking(user uuid.UUID) (booking.Booking, error) {
	legs, err := b.legs()
	if err == nil && (b.ID == uuid.Nil || len(b.Seats) == 0) {
		err = errors.New("not a booking")
	}
	return booking.Booking{
		ID: b.ID, Train: b.Train, User: user, Legs: legs, Seats: seatNumbers(b.Seats), BookedAt: b.BookedAt.UTC(),
	}, err
}

// CancelBooking makes the seats of the booking available again; see booking.Bookings. It is
// idempotent.
func (c *Client) CancelBooking(ctx context.Context, user, id uuid.UUID) error {
	return c.send(ctx, request{
		operation: "CancelBooking", method: http.MethodDelete, path: "/v1/bookings/" + id.String(), user: user,
		success: []int{http.StatusNoContent},
	}, nil)
}

// CancelAnyBooking cancels a booking of any user; see booking.Bookings. It needs the token of an admin.
func (c *Client) CancelAnyBooking(ctx context.Context, id uuid.UUID) error {
	return c.CancelBooking(ctx, uuid.Nil, id)
}

// userBookingJSON is a booking with its train.
type userBookingJSON struct {
	bookingJSON
	On trainJSON `json:"train"`
}

func (b userBookingJSON) bookedTrain(user uuid.UUID) (booking.BookedTrain, error) {
	train, err := b.On.train()
	if err != nil {
		return booking.BookedTrain{}, err
	}
	booked, err := b.booking(user)
	return booking.BookedTrain{Booking: booked, On: &train}, err
}

// FindBooking returns a live booking of user; see booking.Bookings.
func (c *Client) FindBooking(ctx context.Context, user, id uuid.UUID) (booking.BookedTrain, error) {
	return do(ctx, c, request{
		operation: "FindBooking", method: http.MethodGet, path: "/v1/bookings/" + id.String(), user: user,
	}, func(b userBookingJSON) (booking.BookedTrain, error) { return b.bookedTrain(user) })
}

// UserBookings returns the live bookings of user, oldest or newest first; see booking.Bookings.
func (c *Client) UserBookings(
	ctx context.Context, user uuid.UUID, page booking.PageRequest,
) (booking.Page[booking.BookedTrain], error) {
	order, of := "oldest", booking.ListBookingsOldest
	if page.NewestFirst {
		order, of = "newest", booking.ListBookingsNewest
	}
	convert := pageOf(of, func(b userBookingJSON) (booking.BookedTrain, error) { return b.bookedTrain(user) })
	return fetchList(ctx, page, func(
		ctx context.Context, page booking.PageRequest,
	) (booking.Page[booking.BookedTrain], error) {
		return do(ctx, c, request{
			operation: "UserBookings", method: http.MethodGet, path: "/v1/bookings", user: user,
			query: pageQuery(url.Values{"order": {order}}, of, page),
		}, convert)
	})
}

// trainBookingJSON is a booking in a response to an admin.
type trainBookingJSON struct {
	bookingJSON
	User uuid.UUID `json:"user_id"`
}

// TrainBookings returns the live bookings of a train, oldest first; see booking.Bookings.
// It needs the token of an admin; the service token is not enough.
func (c *Client) TrainBookings(
	ctx context.Context, id booking.TrainID, page booking.PageRequest,
) (booking.Page[booking.Booking], error) {
	convert := pageOf(booking.ListTrainBookings, func(b trainBookingJSON) (booking.Booking, error) {
		b.Train = id
		return b.booking(b.User)
	})
	return fetchList(ctx, page, func(
		ctx context.Context, page booking.PageRequest,
	) (booking.Page[booking.Booking], error) {
		return do(ctx, c, request{
			operation: "TrainBookings", method: http.MethodGet, path: trainPath(id) + "/bookings",
			query: pageQuery(url.Values{}, booking.ListTrainBookings, page),
		}, convert)
	})
}
