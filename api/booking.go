package api

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// nothing is the request of an endpoint that takes no fields.
type nothing struct{}

func (*nothing) read(*form) {}

// viewedBooking is one seat of a booking, as part 1 of API.md shows it.
type viewedBooking struct {
	TrainID     booking.TrainID `json:"train_id"`
	TrainName   string          `json:"train_name"`
	SeatNumber  int             `json:"seat_number"`
	Source      string          `json:"source"`
	Destination string          `json:"destination"`
}

func (s *Server) viewBookings(ctx context.Context, c *call, _ nothing) (answer, error) {
	page, err := s.service.UserBookings(ctx, c.caller.User, booking.PageRequest{})
	if err != nil {
		return answer{}, err
	}
	viewed := []viewedBooking{}
	for _, b := range page.Items {
		from, to := b.On.Ends(b.Legs)
		for _, n := range b.Seats {
			viewed = append(viewed, viewedBooking{b.Train, b.On.Name, n, from.Station, to.Station})
		}
	}
	return ok(viewed), nil
}

type cancelBookingRequest struct{ id uuid.UUID }

func (in *cancelBookingRequest) read(f *form) { in.id = f.pathUUID("booking") }

func (s *Server) cancelBooking(ctx context.Context, c *call, in cancelBookingRequest) (answer, error) {
	if err := s.service.CancelBooking(ctx, c.caller.User, in.id); err != nil {
		return answer{}, err
	}
	return noContent(), nil
}

type trainBookingsRequest struct {
	id   booking.TrainID
	page booking.PageRequest
}

func (in *trainBookingsRequest) read(f *form) {
	in.id = f.pathTrain()
	in.page = f.page()
}

// trainBooking is a booking as admins see it: who sits where.
type trainBooking struct {
	BookingID uuid.UUID    `json:"booking_id"`
	UserID    uuid.UUID    `json:"user_id"`
	Seats     []seatAnswer `json:"seats"`
	From      string       `json:"from"`
	To        string       `json:"to"`
	BookedAt  time.Time    `json:"booked_at"`
}

func (s *Server) trainBookings(ctx context.Context, _ *call, in trainBookingsRequest) (answer, error) {
	bookings, err := s.service.TrainBookings(ctx, in.id, in.page)
	if err != nil {
		return answer{}, err
	}
	found, err := s.service.FindTrain(ctx, in.id)
	if err != nil {
		return answer{}, err
	}
	// Stops cannot change while a seat is booked. A booking that does not fit them was
	// cancelled between the two questions.
	bookings.Items = slices.DeleteFunc(bookings.Items, func(b booking.Booking) bool {
		return !found.Train.Run().Contains(b.Legs)
	})
	return ok(listOf(bookings, func(b booking.Booking) trainBooking {
		from, to := found.Train.Ends(b.Legs)
		return trainBooking{
			BookingID: b.ID, UserID: b.User, Seats: seatAnswersOf(b.Train, b.Seats),
			From: from.Station, To: to.Station, BookedAt: b.BookedAt.UTC(),
		}
	})), nil
}
