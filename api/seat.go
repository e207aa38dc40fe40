package api

import (
	"context"
	"time"

	"trainbooking.dev/booking"
)

type seatMapRequest struct {
	id       booking.TrainID
	from, to string
}

func (in *seatMapRequest) read(f *form) {
	in.id = f.pathTrain()
	in.from, in.to = f.segment()
}

// segment reads the optional stations from and to; each may be given alone.
func (f *form) segment() (from, to string) {
	return f.optionalText("from", 1, booking.MaxName), f.optionalText("to", 1, booking.MaxName)
}

func (s *Server) seatMap(ctx context.Context, _ *call, in seatMapRequest) (answer, error) {
	seats, err := s.service.SeatMap(ctx, in.id, in.from, in.to)
	if err != nil {
		return answer{}, err
	}
	return ok(seats), nil
}

type bookTicketRequest struct {
	train    booking.TrainID
	seat     int
	from, to string
}

func (in *bookTicketRequest) read(f *form) {
	in.train = f.trainID("train_id")
	in.seat = f.whole("seat_number", booking.MaxCapacity)
	in.from, in.to = f.segment()
}

func (s *Server) bookTicket(ctx context.Context, c *call, in bookTicketRequest) (answer, error) {
	if !in.train.Valid() {
		return answer{}, booking.NotFound("train")
	}
	hold, err := s.service.Hold(ctx, booking.HoldRequest{
		ID: booking.NewHoldID(in.train), User: c.caller.User, Train: in.train,
		Seats: []int{in.seat}, From: in.from, To: in.to,
	})
	if err != nil {
		return answer{}, err
	}
	return ok(struct {
		SeatID    booking.SeatID `json:"seat_id"`
		Message   string         `json:"message"`
		HoldID    booking.HoldID `json:"hold_id"`
		ExpiresAt time.Time      `json:"expires_at"`
	}{
		in.train.Seat(in.seat), "Seat locked successfully. Confirm booking to book the seat",
		hold.ID, hold.ExpiresAt.UTC(),
	}), nil
}

// seatRequest says which hold is meant: by its seat, and where the user has had
// several segments of that, by its id as well.
type seatRequest struct {
	seat booking.SeatID
	hold booking.HoldID
}

func (in *seatRequest) read(f *form) {
	in.seat = f.seatID("seat_id")
	in.hold = f.optionalHoldID("hold_id")
}

// ref is the hold as the service takes it. A seat id whose number is no seat's is
// not_found: to the service, seat 0 means that no seat was given.
func (in seatRequest) ref(c *call) (booking.HoldRef, error) {
	n := in.seat.Number()
	if n < 1 || n > booking.MaxCapacity || !in.seat.Train().Valid() {
		return booking.HoldRef{}, booking.NotFound("seat")
	}
	return booking.HoldRef{User: c.caller.User, Train: in.seat.Train(), Seat: n, Hold: in.hold}, nil
}

func (s *Server) confirmBooking(ctx context.Context, c *call, in seatRequest) (answer, error) {
	ref, err := in.ref(c)
	if err != nil {
		return answer{}, err
	}
	booked, err := s.service.Confirm(ctx, ref)
	if err != nil {
		return answer{}, err
	}
	return ok(struct {
		Message string `json:"message"`
		bookingAnswer
	}{"Seat booked successfully", bookingAnswerOf(booked)}), nil
}

func (s *Server) releaseSeat(ctx context.Context, c *call, in seatRequest) (answer, error) {
	ref, err := in.ref(c)
	if err != nil {
		return answer{}, err
	}
	if err := s.service.Release(ctx, ref); err != nil {
		return answer{}, err
	}
	return ok(message{"Seat released"}), nil
}
