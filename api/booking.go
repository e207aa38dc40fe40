package api

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// noFields is the request of an endpoint without fields.
type noFields struct{}

func (*noFields) decode(*decoder) {}

// viewedBooking is one seat of a booking in the response of view-bookings.
type viewedBooking struct {
	TrainID     booking.TrainID `json:"train_id"`
	TrainName   string          `json:"train_name"`
	SeatNumber  int             `json:"seat_number"`
	Source      string          `json:"source"`
	Destination string          `json:"destination"`
}

func (s *Server) viewBookings(ctx context.Context, c *call, _ noFields) (response, error) {
	page, err := s.service.UserBookings(ctx, c.caller.User, booking.PageRequest{})
	if err != nil {
		return response{}, err
	}
	viewed := []viewedBooking{}
	for _, b := range page.Items {
		from, to := b.On.Ends(b.Legs)
		for _, n := range b.Seats {
			viewed = append(viewed, viewedBooking{b.Train, b.On.Name, n, from.Station, to.Station})
		}
	}
	return s.okMany(ctx, len(viewed), func() []byte { return encode(viewed) })
}

// bookingResponse is a booking in the responses to its user.
type bookingResponse struct {
	BookingID uuid.UUID       `json:"booking_id"`
	TrainID   booking.TrainID `json:"train_id"`
	Seats     []seatResponse  `json:"seats"`
	segmentResponse
	BookedAt time.Time `json:"booked_at"`
}

func newBookingResponse(b booking.Booking) bookingResponse {
	return bookingResponse{
		BookingID: b.ID, TrainID: b.Train, Seats: newSeatResponses(b.Train, b.Seats),
		segmentResponse: newSegmentResponse(b.Legs), BookedAt: b.BookedAt.UTC(),
	}
}

// userBookingResponse is a booking with its train.
type userBookingResponse struct {
	bookingResponse
	From  string        `json:"from"`
	To    string        `json:"to"`
	Train trainResponse `json:"train"`
}

func newUserBookingResponse(b booking.BookedTrain) userBookingResponse {
	from, to := b.On.Ends(b.Legs)
	return userBookingResponse{newBookingResponse(b.Booking), from.Station, to.Station, newTrainResponse(b.On)}
}

type listBookingsRequest struct{ page pageRequest }

func (in *listBookingsRequest) decode(d *decoder) {
	order, given := d.optionalString("order")
	list := booking.ListBookingsNewest
	if order == "oldest" {
		list = booking.ListBookingsOldest
	}
	in.page = d.page(list)
	in.page.NewestFirst = order != "oldest"
	if given && order != "oldest" && order != "newest" {
		d.fieldError("order", "must be newest or oldest")
	}
}

func (s *Server) listBookings(ctx context.Context, c *call, in listBookingsRequest) (response, error) {
	page, err := s.service.UserBookings(ctx, c.caller.User, in.page.PageRequest)
	if err != nil {
		return response{}, err
	}
	return list(ctx, s, in.page, page, newUserBookingResponse)
}

type bookingPathRequest struct{ id uuid.UUID }

func (in *bookingPathRequest) decode(d *decoder) { in.id = d.pathUUID("booking") }

func (s *Server) findBooking(ctx context.Context, c *call, in bookingPathRequest) (response, error) {
	found, err := s.service.FindBooking(ctx, c.caller.User, in.id)
	if err != nil {
		return response{}, err
	}
	return ok(newUserBookingResponse(found)), nil
}

func (s *Server) cancelBooking(ctx context.Context, c *call, in bookingPathRequest) (response, error) {
	err := s.service.CancelBooking(ctx, c.caller.User, in.id)
	switch booking.CodeOf(err) {
	case booking.CodeNotFound, booking.CodeDeparted: // an admin may
		allowed, failed := s.allowed(ctx, c.caller, admin)
		switch {
		case booking.CodeOf(failed) == booking.CodeUnauthenticated: // deleted since the login, and so no admin
		case failed != nil:
			return response{}, failed
		case allowed:
			err = s.service.CancelAnyBooking(ctx, in.id)
		}
	}
	if err != nil {
		return response{}, err
	}
	return noContent(), nil
}

type trainBookingsRequest struct {
	id   booking.TrainID
	page pageRequest
}

func (in *trainBookingsRequest) decode(d *decoder) {
	in.id = d.pathTrainID()
	in.page = d.page(booking.ListTrainBookings)
}

// trainBookingResponse is a booking in the responses to admins.
type trainBookingResponse struct {
	BookingID uuid.UUID      `json:"booking_id"`
	UserID    uuid.UUID      `json:"user_id"`
	Seats     []seatResponse `json:"seats"`
	From      string         `json:"from"`
	To        string         `json:"to"`
	segmentResponse
	BookedAt time.Time `json:"booked_at"`
}

func (s *Server) trainBookings(ctx context.Context, _ *call, in trainBookingsRequest) (response, error) {
	bookings, err := s.service.TrainBookings(ctx, in.id, in.page.PageRequest)
	if err != nil {
		return response{}, err
	}
	found, err := s.service.FindTrain(ctx, in.id)
	if err != nil {
		return response{}, err
	}
	// Stops cannot change while a seat is booked. A booking that does not fit the stops was
	// cancelled between the two calls above.
	bookings.Items = slices.DeleteFunc(bookings.Items, func(b booking.Booking) bool {
		return !found.Train.Run().Contains(b.Legs)
	})
	return list(ctx, s, in.page, bookings, func(b booking.Booking) trainBookingResponse {
		from, to := found.Train.Ends(b.Legs)
		return trainBookingResponse{
			BookingID: b.ID, UserID: b.User, Seats: newSeatResponses(b.Train, b.Seats),
			From: from.Station, To: to.Station, segmentResponse: newSegmentResponse(b.Legs),
			BookedAt: b.BookedAt.UTC(),
		}
	})
}
