package client

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// holdRequest is the body of POST /v1/holds.
type holdRequest struct {
	Train booking.TrainID `json:"train_id"`
	Seats []int           `json:"seats,omitempty"`
	Count int             `json:"count,omitempty"`
	From  string          `json:"from,omitempty"`
	To    string          `json:"to,omitempty"`

	OnConflict string `json:"on_conflict,omitempty"`
}

func newHoldRequest(wanted booking.HoldRequest) holdRequest {
	r := holdRequest{Train: wanted.Train, Seats: wanted.Seats, Count: wanted.Count, From: wanted.From, To: wanted.To}
	if wanted.BestAlternative {
		r.OnConflict = "best_alternative"
	}
	return r
}

// holdJSON is a hold in a response.
type holdJSON struct {
	ID    booking.HoldID `json:"hold_id"`
	Seats []seatJSON     `json:"seats"`
	segmentJSON
	ExpiresAt time.Time `json:"expires_at"`
	Extended  bool      `json:"extended"`
}

// hold returns the hold of a user.
func (h holdJSON) hold(user uuid.UUID) (booking.Hold, error) {
	legs, err := h.legs()
	return booking.Hold{
		ID: h.ID, User: user, Legs: legs, Seats: seatNumbers(h.Seats), ExpiresAt: h.ExpiresAt.UTC(), Extended: h.Extended,
	}, err
}

// Hold locks all requested seats or none; see booking.Seats. It is idempotent: a hold of
// named seats returns an existing hold of the same seats, and a hold of seats that the server
// chooses, by count or as an alternative, uses wanted.ID as its Idempotency-Key. So such a hold
// with the same ID gets the same hold for 24 hours, even after that has ended; use a new ID for a
// new hold. The server chooses the id of the hold, which is not wanted.ID, and whether the user is
// Unlimited.
func (c *Client) Hold(ctx context.Context, wanted booking.HoldRequest) (booking.Hold, error) {
	return do(ctx, c, request{
		operation: "Hold", method: http.MethodPost, path: "/v1/holds", user: wanted.User,
		body: newHoldRequest(wanted),
		key:  idempotencyKey(wanted), success: []int{http.StatusCreated},
	}, func(h holdJSON) (booking.Hold, error) {
		if h.ID.Train() != wanted.Train || len(h.Seats) == 0 {
			return booking.Hold{}, errors.New("not the requested hold")
		}
		return h.hold(wanted.User)
	})
}

// idempotencyKey returns the Idempotency-Key of a hold. A hold of named seats has none,
// because the same request after the end of the hold must make a new hold.
func idempotencyKey(wanted booking.HoldRequest) string {
	switch {
	case wanted.Count == 0 && !wanted.BestAlternative:
		return ""
	case wanted.ID.IsZero():
		return uuid.NewString()
	}
	return wanted.ID.String()
}

// holdOnTrainJSON is a hold with its train.
type holdOnTrainJSON struct {
	holdJSON
	On trainJSON `json:"train"`
}

// UserHolds lists the live holds of user on all trains; see booking.Seats.
func (c *Client) UserHolds(ctx context.Context, user uuid.UUID) (booking.Page[booking.HoldOnTrain], error) {
	return do(ctx, c, request{
		operation: "UserHolds", method: http.MethodGet, path: "/v1/holds", user: user,
	}, pageOf(booking.List(0), func(h holdOnTrainJSON) (booking.HoldOnTrain, error) {
		hold, err := h.hold(user)
		if err != nil {
			return booking.HoldOnTrain{}, err
		}
		train, err := h.On.train()
		return booking.HoldOnTrain{Hold: hold, On: &train}, err
	}))
}

// seatHoldRequest is the body of confirm-booking and release-seat.
type seatHoldRequest struct {
	Seat booking.SeatID `json:"seat_id"`
	Hold booking.HoldID `json:"hold_id,omitzero"`
}

// Confirm books all seats of a live hold; see booking.Seats. It is idempotent.
func (c *Client) Confirm(ctx context.Context, ref booking.HoldRef) (booking.Booking, error) {
	r := request{operation: "Confirm", method: http.MethodPost, user: ref.User}
	err := setTarget(ref, &r, "/v1/holds/"+ref.Hold.String()+"/confirm", "/train/confirm-booking/")
	if err != nil {
		return booking.Booking{}, err
	}
	booked, err := do(ctx, c, r, func(b bookingJSON) (booking.Booking, error) { return b.booking(ref.User) })
	if err != nil {
		return booking.Booking{}, c.holdError(ctx, ref, err)
	}
	return booked, nil
}

// Extend extends a live hold; see booking.Seats. It is idempotent. A seat alone does not name the hold:
// seat_not_locked.
func (c *Client) Extend(ctx context.Context, ref booking.HoldRef) (booking.Hold, error) {
	r := request{operation: "Extend", method: http.MethodPost, user: ref.User}
	bySeat := ref
	ref.Seat = 0
	if err := setTarget(ref, &r, "/v1/holds/"+ref.Hold.String()+"/extend", ""); err != nil {
		return booking.Hold{}, err
	}
	hold, err := do(ctx, c, r, func(h holdJSON) (booking.Hold, error) { return h.hold(ref.User) })
	if err != nil {
		return booking.Hold{}, c.holdError(ctx, bySeat, err)
	}
	return hold, nil
}

// Release ends a live hold; see booking.Seats. After outcome unknown, the same call returns
// seat_not_locked if the first one released the hold.
func (c *Client) Release(ctx context.Context, ref booking.HoldRef) error {
	r := request{operation: "Release", method: http.MethodPost, user: ref.User}
	if ref.Seat == 0 {
		r.method, r.success = http.MethodDelete, []int{http.StatusNoContent}
	}
	if err := setTarget(ref, &r, "/v1/holds/"+ref.Hold.String(), "/train/release-seat/"); err != nil {
		return err
	}
	return c.holdError(ctx, ref, c.send(ctx, r, nil))
}

// someSeats is the body of a request that concerns some of the seats of a hold or booking.
type someSeats struct {
	Seats []int `json:"seats"`
}

// setTarget sets the path of the request, and its body if ref has a seat. Errors: not_found
// for a seat number that no train has, because it has 16 bits in the seat's id;
// seat_not_locked for a hold of another train.
func setTarget(ref booking.HoldRef, r *request, byHold, bySeat string) error {
	switch {
	case ref.Seat < 0 || ref.Seat > booking.MaxCapacity:
		return booking.NotFound("seat")
	case !ref.Hold.IsZero() && ref.Hold.Train() != ref.Train:
		return notLocked()
	case ref.Seat == 0 && ref.Hold.IsZero():
		return notLocked() // neither a seat nor a hold
	case ref.Seat == 0:
		r.path = byHold
		if len(ref.Seats) > 0 {
			r.body = someSeats{ref.Seats}
		}
	default:
		r.path, r.body = bySeat, seatHoldRequest{ref.Train.Seat(ref.Seat), ref.Hold}
	}
	return nil
}

// holdError replaces the not_found of a request by hold, unless it has seats, which means that either the train
// or the hold does not exist. It stays not_found if the train does not exist, and becomes
// seat_not_locked otherwise.
func (c *Client) holdError(ctx context.Context, ref booking.HoldRef, err error) error {
	e, ok := errors.AsType[*booking.Error](err)
	if !ok || ref.Seat != 0 || e.Code != booking.CodeNotFound || len(e.Seats) > 0 {
		return err
	}
	if _, noTrain := c.FindTrain(ctx, ref.Train); booking.CodeOf(noTrain) == booking.CodeNotFound {
		return noTrain
	}
	return notLocked()
}

func notLocked() *booking.Error {
	return &booking.Error{Code: booking.CodeSeatNotLocked, Message: "Seat is not locked"}
}
