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

// bookingDoc is a booking as the API shows it.
type bookingDoc struct {
	ID    uuid.UUID       `json:"booking_id"`
	Train booking.TrainID `json:"train_id"`
	Seats []seatDoc       `json:"seats"`
	segmentDoc
	BookedAt time.Time `json:"booked_at"`
}

func (d bookingDoc) booking(user uuid.UUID) (booking.Booking, error) {
	legs, err := d.legs()
	if err == nil && (d.ID == uuid.Nil || len(d.Seats) == 0) {
		err = errors.New("no booking")
	}
	return booking.Booking{
		ID: d.ID, Train: d.Train, User: user, Legs: legs, Seats: numbersOf(d.Seats), BookedAt: d.BookedAt.UTC(),
	}, err
}

// CancelBooking puts the booking's own legs on sale again, see booking.Bookings. Idempotent.
func (c *Client) CancelBooking(ctx context.Context, user, id uuid.UUID) error {
	return c.send(ctx, request{
		operation: "CancelBooking", method: http.MethodDelete, path: "/v1/bookings/" + id.String(), user: user,
		success: []int{http.StatusNoContent},
	}, nil)
}

// userBookingDoc is a booking beside the train it is for.
type userBookingDoc struct {
	bookingDoc
	On trainDoc `json:"train"`
}

// UserBookings lists the live bookings of user, oldest first; see booking.Bookings.
func (c *Client) UserBookings(
	ctx context.Context, user uuid.UUID, page booking.PageRequest,
) (booking.Page[booking.BookedTrain], error) {
	shape := pageOf(func(doc userBookingDoc) (booking.BookedTrain, error) {
		train, err := doc.On.train()
		if err != nil {
			return booking.BookedTrain{}, err
		}
		b, err := doc.booking(user)
		return booking.BookedTrain{Booking: b, On: &train}, err
	})
	return paged(ctx, page, func(
		ctx context.Context, page booking.PageRequest,
	) (booking.Page[booking.BookedTrain], error) {
		return ask(ctx, c, request{
			operation: "UserBookings", method: http.MethodGet, path: "/v1/bookings", user: user,
			query: window(url.Values{"order": {"oldest"}}, page),
		}, shape)
	})
}

// trainBookingDoc is a booking as admins see it.
type trainBookingDoc struct {
	bookingDoc
	User uuid.UUID `json:"user_id"`
}

// TrainBookings lists the live bookings of a train, oldest first; see booking.Bookings. The
// token must be that of a user who is an admin: the service token is not enough.
func (c *Client) TrainBookings(
	ctx context.Context, id booking.TrainID, page booking.PageRequest,
) (booking.Page[booking.Booking], error) {
	shape := pageOf(func(doc trainBookingDoc) (booking.Booking, error) {
		doc.Train = id
		return doc.booking(doc.User)
	})
	return paged(ctx, page, func(
		ctx context.Context, page booking.PageRequest,
	) (booking.Page[booking.Booking], error) {
		return ask(ctx, c, request{
			operation: "TrainBookings", method: http.MethodGet, path: pathOf(id) + "/bookings",
			query: window(url.Values{}, page),
		}, shape)
	})
}
