package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trainbooking.dev/booking"
)

// holdRequest names the seats to hold, or how many.
type holdRequest struct {
	train    booking.TrainID
	seats    []int
	count    int
	from, to string

	bestAlternative bool
}

func (in *holdRequest) decode(d *decoder) {
	in.train = d.trainID("train_id")
	in.from, in.to = d.segment()
	named, counted := d.has("seats"), d.has("count")
	switch {
	case named == counted:
		d.fieldError("seats", "either seats or count is required")
	case counted:
		in.count = d.int("count", booking.MaxCapacity)
	default:
		in.seats = d.seatNumbers()
	}
	in.bestAlternative = d.bestAlternative(counted)
}

// bestAlternative decodes on_conflict, which has one value, and only for named seats.
func (d *decoder) bestAlternative(counted bool) bool {
	const bestAlternative = "best_alternative"
	onConflict, given := d.optionalString("on_conflict")
	switch {
	case given && counted:
		d.fieldError("on_conflict", "is only for seats, not for a count")
	case given && onConflict != bestAlternative:
		d.fieldError("on_conflict", "must be "+bestAlternative)
	}
	return given
}

// seatNumbers decodes the numbers of at least one seat, without duplicates.
func (d *decoder) seatNumbers() []int {
	seats := d.ints("seats", booking.MaxCapacity)
	if len(seats) == 0 {
		d.fieldError("seats", "must name at least one seat")
	}
	seen := make(map[int]bool, len(seats))
	for i, n := range seats {
		if seen[n] {
			d.fieldError(fmt.Sprintf("seats[%d]", i), "is given twice")
			break
		}
		seen[n] = true
	}
	return seats
}

// optionalSeats decodes some seats; nil means all. A body without seats does not ask for all of them.
func (d *decoder) optionalSeats() []int {
	if d.body == nil && !d.has("seats") {
		return nil
	}
	return d.seatNumbers()
}

func (s *Server) hold(ctx context.Context, c *call, in holdRequest) (response, error) {
	hold, err := s.newHold(ctx, c, in)
	if err != nil {
		return response{}, err
	}
	return created("", newHoldResponse(hold)), nil
}

type holdResponse struct {
	HoldID booking.HoldID `json:"hold_id"`
	Seats  []seatResponse `json:"seats"`
	segmentResponse
	ExpiresAt time.Time `json:"expires_at"`
	Extended  bool      `json:"extended"`
}

func newHoldResponse(h booking.Hold) holdResponse {
	return holdResponse{h.ID, newSeatResponses(h.ID.Train(), h.Seats), newSegmentResponse(h.Legs), h.ExpiresAt.UTC(), h.Extended}
}

func (s *Server) newHold(ctx context.Context, c *call, in holdRequest) (booking.Hold, error) {
	if !in.train.Valid() {
		return booking.Hold{}, booking.NotFound("train")
	}
	request := booking.HoldRequest{
		ID: holdIDFor(c, in.train), User: c.caller.User, Train: in.train,
		Seats: in.seats, Count: in.count, From: in.from, To: in.to, BestAlternative: in.bestAlternative,
	}
	hold, err := s.service.Hold(ctx, request)
	if booking.CodeOf(err) == booking.CodeTooManySeats {
		err = s.elseAsAdmin(ctx, c, err, func() (err error) {
			request.Unlimited = true
			hold, err = s.service.Hold(ctx, request)
			return err
		})
	}
	return hold, err
}

// holdIDFor returns the id of a request's hold. With an Idempotency-Key, it is derived from the
// request, so that a retry finds the hold of an earlier attempt. Otherwise it is zero: the service
// makes one, and need not look for an earlier use of it.
func holdIDFor(c *call, train booking.TrainID) booking.HoldID {
	if c.seed == "" {
		return booking.HoldID{}
	}
	return booking.DerivedHoldID(train, c.seed)
}

// holdOnTrainResponse is a hold with its train.
type holdOnTrainResponse struct {
	TrainID booking.TrainID `json:"train_id"`
	holdResponse
	onTrainResponse
}

func newHoldOnTrainResponse(h booking.HoldOnTrain) holdOnTrainResponse {
	return holdOnTrainResponse{h.ID.Train(), newHoldResponse(h.Hold), newOnTrainResponse(h.On, h.Legs)}
}

func (s *Server) listHolds(ctx context.Context, c *call, _ noFields) (response, error) {
	page, err := s.service.UserHolds(ctx, c.caller.User)
	if err != nil {
		return response{}, err
	}
	return list(ctx, s, pageRequest{}, page, newHoldOnTrainResponse)
}

type bookTicketRequest struct{ holdRequest }

func (in *bookTicketRequest) decode(d *decoder) {
	in.train = d.trainID("train_id")
	in.seats = []int{d.int("seat_number", booking.MaxCapacity)}
	in.from, in.to = d.segment()
}

func (s *Server) bookTicket(ctx context.Context, c *call, in bookTicketRequest) (response, error) {
	hold, err := s.newHold(ctx, c, in.holdRequest)
	if err != nil {
		return response{}, err
	}
	return ok(struct {
		SeatID    booking.SeatID `json:"seat_id"`
		Message   string         `json:"message"`
		HoldID    booking.HoldID `json:"hold_id"`
		ExpiresAt time.Time      `json:"expires_at"`
	}{
		in.train.Seat(in.seats[0]), "Seat locked successfully. Confirm booking to book the seat",
		hold.ID, hold.ExpiresAt.UTC(),
	}), nil
}

type holdPathRequest struct{ hold booking.HoldID }

func (in *holdPathRequest) decode(d *decoder) { in.hold = d.pathHoldID() }

func (in holdPathRequest) ref(c *call) booking.HoldRef {
	return booking.HoldRef{User: c.caller.User, Train: in.hold.Train(), Hold: in.hold}
}

// holdSeatsRequest names a hold, or some seats of it.
type holdSeatsRequest struct {
	holdPathRequest
	seats []int // nil: all
}

func (in *holdSeatsRequest) decode(d *decoder) {
	in.holdPathRequest.decode(d)
	in.seats = d.optionalSeats()
}

func (in holdSeatsRequest) ref(c *call) booking.HoldRef {
	ref := in.holdPathRequest.ref(c)
	ref.Seats = in.seats
	return ref
}

func (s *Server) confirmHold(ctx context.Context, c *call, in holdSeatsRequest) (response, error) {
	b, err := s.service.Confirm(ctx, in.ref(c))
	if err != nil {
		return response{}, holdNotFound(err)
	}
	return ok(newBookingStateResponse(b)), nil
}

func (s *Server) extendHold(ctx context.Context, c *call, in holdPathRequest) (response, error) {
	hold, err := s.service.Extend(ctx, in.ref(c))
	if err != nil {
		return response{}, holdNotFound(err)
	}
	return ok(newHoldResponse(hold)), nil
}

func (s *Server) releaseHold(ctx context.Context, c *call, in holdSeatsRequest) (response, error) {
	if err := s.service.Release(ctx, in.ref(c)); err != nil {
		return response{}, holdNotFound(err)
	}
	return noContent(), nil
}

// holdNotFound returns the same not_found error for a hold that never existed, one that
// ended and one of another user (API.md 3).
func holdNotFound(err error) error {
	if e, ok := errors.AsType[*booking.Error](err); ok && len(e.Seats) > 0 { // it is there, without these seats
		return err
	}
	switch booking.CodeOf(err) {
	case booking.CodeNotFound, booking.CodeSeatNotLocked:
		return booking.NotFound("hold")
	}
	return err
}

// seatHoldRequest identifies a hold by its seat. If the user has had several segments of
// the seat, the hold id is needed too.
type seatHoldRequest struct {
	seat booking.SeatID
	hold booking.HoldID
}

func (in *seatHoldRequest) decode(d *decoder) {
	in.seat = d.seatID("seat_id")
	in.hold = d.optionalHoldID("hold_id")
}

// ref returns not_found for a seat number that no train has, because the service reads
// seat 0 as "no seat given".
func (in seatHoldRequest) ref(c *call) (booking.HoldRef, error) {
	n := in.seat.Number()
	if n < 1 || n > booking.MaxCapacity || !in.seat.Train().Valid() {
		return booking.HoldRef{}, booking.NotFound("seat")
	}
	return booking.HoldRef{User: c.caller.User, Train: in.seat.Train(), Seat: n, Hold: in.hold}, nil
}

func (s *Server) confirmBooking(ctx context.Context, c *call, in seatHoldRequest) (response, error) {
	ref, err := in.ref(c)
	if err != nil {
		return response{}, err
	}
	booked, err := s.service.Confirm(ctx, ref)
	if err != nil {
		return response{}, err
	}
	return ok(struct {
		Message string `json:"message"`
		bookingResponse
	}{"Seat booked successfully", newBookingResponse(booked)}), nil
}

func (s *Server) releaseSeat(ctx context.Context, c *call, in seatHoldRequest) (response, error) {
	ref, err := in.ref(c)
	if err != nil {
		return response{}, err
	}
	if err := s.service.Release(ctx, ref); err != nil {
		return response{}, err
	}
	return ok(message{"Seat released"}), nil
}
