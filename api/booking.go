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

// bookingAnswer is a booking as its user sees it.
type bookingAnswer struct {
	BookingID uuid.UUID       `json:"booking_id"`
	TrainID   booking.TrainID `json:"train_id"`
	Seats     []seatAnswer    `json:"seats"`
	segmentAnswer
	BookedAt time.Time `json:"booked_at"`
}

func bookingAnswerOf(b booking.Booking) bookingAnswer {
	return bookingAnswer{
		BookingID: b.ID, TrainID: b.Train, Seats: seatAnswersOf(b.Train, b.Seats),
		segmentAnswer: segmentAnswerOf(b.Legs), BookedAt: b.BookedAt.UTC(),
	}
}

// userBooking is a booking beside the train it is for.
type userBooking struct {
	bookingAnswer
	From  string      `json:"from"`
	To    string      `json:"to"`
	Train trainAnswer `json:"train"`
}

func userBookingOf(b booking.BookedTrain) userBooking {
	from, to := b.On.Ends(b.Legs)
	return userBooking{bookingAnswerOf(b.Booking), from.Station, to.Station, trainAnswerOf(b.On)}
}

type listBookingsRequest struct {
	page        booking.PageRequest
	oldestFirst bool
}

func (in *listBookingsRequest) read(f *form) {
	in.page = f.page()
	switch order, given := f.str("order"); {
	case order == "oldest":
		in.oldestFirst = true
	case given && order != "newest":
		f.fault("order", "must be newest or oldest")
	}
}

func (s *Server) listBookings(ctx context.Context, c *call, in listBookingsRequest) (answer, error) {
	list := s.newestBookings
	if in.oldestFirst {
		list = s.service.UserBookings
	}
	page, err := list(ctx, c.caller.User, in.page)
	if err != nil {
		return answer{}, err
	}
	return ok(listOf(page, userBookingOf)), nil
}

// newestBookings is UserBookings in the other order. It reads them all, as view-bookings
// does: what one person has booked is little.
func (s *Server) newestBookings(
	ctx context.Context, user uuid.UUID, page booking.PageRequest,
) (booking.Page[booking.BookedTrain], error) {
	all, err := s.service.UserBookings(ctx, user, booking.PageRequest{})
	if err != nil {
		return booking.Page[booking.BookedTrain]{}, err
	}
	place := func(b booking.BookedTrain) booking.Cursor { return booking.Cursor{At: b.BookedAt, ID: b.ID} }
	slices.Reverse(all.Items)
	if !page.After.IsZero() {
		all.Items = slices.DeleteFunc(all.Items, func(b booking.BookedTrain) bool {
			return place(b).Compare(page.After) >= 0
		})
	}
	return booking.PageOf(all.Items, page.Limit, place), nil
}

type bookingPathRequest struct{ id uuid.UUID }

func (in *bookingPathRequest) read(f *form) { in.id = f.pathUUID("booking") }

func (s *Server) findBooking(ctx context.Context, c *call, in bookingPathRequest) (answer, error) {
	all, err := s.service.UserBookings(ctx, c.caller.User, booking.PageRequest{})
	if err != nil {
		return answer{}, err
	}
	i := slices.IndexFunc(all.Items, func(b booking.BookedTrain) bool { return b.ID == in.id })
	if i < 0 {
		return answer{}, booking.NotFound("booking")
	}
	return ok(userBookingOf(all.Items[i])), nil
}

func (s *Server) cancelBooking(ctx context.Context, c *call, in bookingPathRequest) (answer, error) {
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
	segmentAnswer
	BookedAt time.Time `json:"booked_at"`
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
			From: from.Station, To: to.Station, segmentAnswer: segmentAnswerOf(b.Legs),
			BookedAt: b.BookedAt.UTC(),
		}
	})), nil
}
