package api

import (
	"context"
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

// bookingResponse is a booking as it was made.
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

// bookingStateResponse is a booking under /v1.
type bookingStateResponse struct {
	bookingResponse
	State       booking.BookingState `json:"state"`
	CancelledAt time.Time            `json:"cancelled_at,omitzero"`
	CancelledBy booking.Canceller    `json:"cancelled_by,omitempty"`
}

func newBookingStateResponse(b booking.Booking) bookingStateResponse {
	return bookingStateResponse{newBookingResponse(b), b.State(), b.CancelledAt.UTC(), b.CancelledBy}
}

// bookedTrainResponse is a booking with its user and train.
type bookedTrainResponse struct {
	bookingStateResponse
	UserID           uuid.UUID `json:"user_id"`
	*onTrainResponse           // nil: omitted
}

type onTrainResponse struct {
	From  string        `json:"from"`
	To    string        `json:"to"`
	Train trainResponse `json:"train"`
}

func newBookedTrainResponse(b booking.BookedTrain) bookedTrainResponse {
	booked := bookedTrainResponse{bookingStateResponse: newBookingStateResponse(b.Booking), UserID: b.User}
	if b.On != nil {
		on := newOnTrainResponse(b.On, b.Legs)
		booked.onTrainResponse = &on
	}
	return booked
}

func newOnTrainResponse(on *booking.Train, segment booking.Legs) onTrainResponse {
	from, to := on.Ends(segment)
	return onTrainResponse{from.Station, to.Station, newTrainResponse(on)}
}

// userBookingsPage decodes a page of the bookings of a user.
func (d *decoder) userBookingsPage() pageRequest {
	of := booking.PageRequest{NewestFirst: !d.isSecond("order", "newest", "oldest"), Cancelled: d.cancelled()}
	return d.pageOf(of.UserBookings(), of)
}

// cancelled decodes which bookings a list has, and reports whether it is the cancelled ones.
func (d *decoder) cancelled() bool {
	return d.isSecond("state", string(booking.BookingConfirmed), string(booking.BookingCancelled))
}

type listBookingsRequest struct{ page pageRequest }

func (in *listBookingsRequest) decode(d *decoder) { in.page = d.userBookingsPage() }

func (s *Server) listBookings(ctx context.Context, c *call, in listBookingsRequest) (response, error) {
	return s.bookingsOf(ctx, c.caller.User, in.page)
}

type userBookingsRequest struct {
	user uuid.UUID
	page pageRequest
}

func (in *userBookingsRequest) decode(d *decoder) {
	in.user = d.pathUUID("user")
	in.page = d.userBookingsPage()
}

func (s *Server) userBookings(ctx context.Context, _ *call, in userBookingsRequest) (response, error) {
	if _, err := s.users.FindUser(ctx, in.user); err != nil {
		return response{}, err
	}
	return s.bookingsOf(ctx, in.user, in.page)
}

func (s *Server) bookingsOf(ctx context.Context, user uuid.UUID, of pageRequest) (response, error) {
	page, err := s.service.UserBookings(ctx, user, of.PageRequest)
	if err != nil {
		return response{}, err
	}
	return list(ctx, s, of, page, newBookedTrainResponse)
}

type bookingPathRequest struct{ id uuid.UUID }

func (in *bookingPathRequest) decode(d *decoder) { in.id = d.pathUUID("booking") }

func (s *Server) findBooking(ctx context.Context, c *call, in bookingPathRequest) (response, error) {
	found, err := s.service.FindBooking(ctx, c.caller.User, in.id)
	if booking.CodeOf(err) == booking.CodeNotFound {
		err = s.elseAsAdmin(ctx, c, err, func() (err error) {
			found, err = s.service.FindAnyBooking(ctx, in.id)
			return err
		})
	}
	if err != nil {
		return response{}, err
	}
	return ok(newBookedTrainResponse(found)), nil
}

type cancelBookingRequest struct {
	id    uuid.UUID
	seats []int // nil: all
}

func (in *cancelBookingRequest) decode(d *decoder) {
	in.id = d.pathUUID("booking")
	in.seats = d.optionalSeats()
}

func (s *Server) cancelBooking(ctx context.Context, c *call, in cancelBookingRequest) (response, error) {
	err := s.service.CancelBooking(ctx, c.caller.User, in.id, in.seats...)
	switch booking.CodeOf(err) {
	case booking.CodeNotFound, booking.CodeDeparted:
		err = s.elseAsAdmin(ctx, c, err, func() error {
			return s.service.CancelAnyBooking(ctx, c.caller.User, in.id, in.seats...)
		})
	}
	if err != nil {
		return response{}, err
	}
	return noContent(), nil
}

type exchangeBookingRequest struct {
	id   uuid.UUID
	hold booking.HoldID
}

func (in *exchangeBookingRequest) decode(d *decoder) {
	in.id = d.pathUUID("booking")
	in.hold = d.holdID("hold_id")
}

func (s *Server) exchangeBooking(ctx context.Context, c *call, in exchangeBookingRequest) (response, error) {
	b, err := s.service.ExchangeBooking(ctx, c.caller.User, in.id, in.hold)
	if booking.CodeOf(err) == booking.CodeSeatNotLocked {
		err = holdNotFound(err)
	}
	if err != nil {
		return response{}, err
	}
	return ok(newBookingStateResponse(b)), nil
}

// elseAsAdmin does what a user may not do, if the caller is an admin. Otherwise it returns err.
func (s *Server) elseAsAdmin(ctx context.Context, c *call, err error, do func() error) error {
	allowed, failed := s.allowed(ctx, c.caller, admin)
	switch {
	case booking.CodeOf(failed) == booking.CodeUnauthenticated: // deleted since the login, and so no admin
		return err
	case failed != nil:
		return failed
	case allowed:
		return do()
	}
	return err
}

type trainBookingsRequest struct {
	id   booking.TrainID
	page pageRequest
}

func (in *trainBookingsRequest) decode(d *decoder) {
	in.id = d.pathTrainID()
	of := booking.PageRequest{Cancelled: d.cancelled()}
	in.page = d.pageOf(of.TrainBookings(), of)
}

func (s *Server) trainBookings(ctx context.Context, _ *call, in trainBookingsRequest) (response, error) {
	page, err := s.service.TrainBookings(ctx, in.id, in.page.PageRequest)
	if err != nil {
		return response{}, err
	}
	return list(ctx, s, in.page, page, newBookedTrainResponse)
}
