package api

import (
	"context"
	"fmt"
	"time"

	"trainbooking.dev/booking"
)

// holdRequest asks for named seats, or for a number of seats.
type holdRequest struct {
	train    booking.TrainID
	seats    []int
	count    int
	from, to string
}

func (in *holdRequest) read(f *form) {
	in.train = f.trainID("train_id")
	in.from, in.to = f.segment()
	named, counted := f.has("seats"), f.has("count")
	switch {
	case named == counted:
		f.fault("seats", "either seats or count is required")
	case counted:
		in.count = f.whole("count", booking.MaxCapacity)
	default:
		in.seats = f.seatNumbers()
	}
}

// seatNumbers reads the numbers of the seats asked for, at least one, none twice.
func (f *form) seatNumbers() []int {
	seats := f.wholes("seats", booking.MaxCapacity)
	if len(seats) == 0 {
		f.fault("seats", "must name at least one seat")
	}
	seen := make(map[int]bool, len(seats))
	for i, n := range seats {
		if seen[n] {
			f.fault(fmt.Sprintf("seats[%d]", i), "is named twice")
			break
		}
		seen[n] = true
	}
	return seats
}

type seatAnswer struct {
	SeatID     booking.SeatID `json:"seat_id"`
	SeatNumber int            `json:"seat_number"`
}

func seatAnswersOf(train booking.TrainID, numbers []int) []seatAnswer {
	seats := make([]seatAnswer, len(numbers))
	for i, n := range numbers {
		seats[i] = seatAnswer{train.Seat(n), n}
	}
	return seats
}

// segmentAnswer says where a segment begins and ends: places in the train's list of
// stops, from 0.
type segmentAnswer struct {
	FromStop int `json:"from_stop"`
	ToStop   int `json:"to_stop"`
}

func segmentAnswerOf(legs booking.Legs) segmentAnswer {
	from, to := legs.Bounds()
	return segmentAnswer{from, to}
}

func (s *Server) hold(ctx context.Context, c *call, in holdRequest) (answer, error) {
	if !in.train.Valid() {
		return answer{}, booking.NotFound("train")
	}
	hold, err := s.service.Hold(ctx, booking.HoldRequest{
		ID: s.holdID(c, in.train), User: c.caller.User, Train: in.train,
		Seats: in.seats, Count: in.count, From: in.from, To: in.to,
	})
	if err != nil {
		return answer{}, err
	}
	return created("", struct {
		HoldID booking.HoldID `json:"hold_id"`
		Seats  []seatAnswer   `json:"seats"`
		segmentAnswer
		ExpiresAt time.Time `json:"expires_at"`
	}{hold.ID, seatAnswersOf(in.train, hold.Seats), segmentAnswerOf(hold.Legs), hold.ExpiresAt.UTC()}), nil
}

// holdID makes the id of a new hold. With an Idempotency-Key it follows from the
// request and the day: a retry finds the hold that the first one made, but the same
// key, free again after 24 hours, never meets the booking that came of it.
func (s *Server) holdID(c *call, train booking.TrainID) booking.HoldID {
	if c.once == "" {
		return booking.NewHoldID(train)
	}
	return booking.DerivedHoldID(train, c.once+" "+s.now().UTC().Format(time.DateOnly))
}

type holdPathRequest struct{ hold booking.HoldID }

func (in *holdPathRequest) read(f *form) { in.hold = f.pathHold() }

func (in holdPathRequest) ref(c *call) booking.HoldRef {
	return booking.HoldRef{User: c.caller.User, Train: in.hold.Train(), Hold: in.hold}
}

func (s *Server) releaseHold(ctx context.Context, c *call, in holdPathRequest) (answer, error) {
	if err := s.service.Release(ctx, in.ref(c)); err != nil {
		return answer{}, noSuchHold(err)
	}
	return noContent(), nil
}

func (s *Server) confirmHold(ctx context.Context, c *call, in holdPathRequest) (answer, error) {
	b, err := s.service.Confirm(ctx, in.ref(c))
	if err != nil {
		return answer{}, noSuchHold(err)
	}
	return ok(bookingAnswerOf(b)), nil
}

// noSuchHold makes one answer of a hold that never was, one that ended and one that is
// another user's: where a hold is a resource, it is not there (API.md 3).
func noSuchHold(err error) error {
	switch booking.CodeOf(err) {
	case booking.CodeNotFound, booking.CodeSeatNotLocked:
		return booking.NotFound("hold")
	}
	return err
}
