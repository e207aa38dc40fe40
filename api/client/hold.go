package client

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// newHold is a booking.HoldRequest as the API takes it.
type newHold struct {
	Train booking.TrainID `json:"train_id"`
	Seats []int           `json:"seats,omitempty"`
	Count int             `json:"count,omitempty"`
	From  string          `json:"from,omitempty"`
	To    string          `json:"to,omitempty"`
}

// holdDoc is a hold as the API shows it.
type holdDoc struct {
	ID    booking.HoldID `json:"hold_id"`
	Seats []seatDoc      `json:"seats"`
	segmentDoc
	ExpiresAt time.Time `json:"expires_at"`
}

// Hold locks all the seats asked for, or none, see booking.Seats. It is safe to repeat:
// named seats find the hold that is there, and seats by count have ID for their
// Idempotency-Key. So by count the first answer, a refusal too, is given again for 24
// hours, even after the hold has ended: ask anew with a new ID. The id of the hold is the
// server's choice, not ID.
func (c *Client) Hold(ctx context.Context, wanted booking.HoldRequest) (booking.Hold, error) {
	return ask(ctx, c, request{
		operation: "Hold", method: http.MethodPost, path: "/v1/holds", user: wanted.User,
		body: newHold{wanted.Train, wanted.Seats, wanted.Count, wanted.From, wanted.To},
		key:  keyOf(wanted), success: []int{http.StatusCreated},
	}, func(doc holdDoc) (booking.Hold, error) {
		legs, err := doc.legs()
		if err == nil && (doc.ID.Train() != wanted.Train || len(doc.Seats) == 0) {
			err = errors.New("not the hold that was asked for")
		}
		return booking.Hold{
			ID: doc.ID, User: wanted.User, Legs: legs, Seats: numbersOf(doc.Seats), ExpiresAt: doc.ExpiresAt.UTC(),
		}, err
	})
}

// keyOf returns the Idempotency-Key of a request. Named seats need none, and must have
// none: asking for them once more after the hold has ended is to give a new hold, not the
// answer of before.
func keyOf(wanted booking.HoldRequest) string {
	switch {
	case wanted.Count == 0:
		return ""
	case wanted.ID.IsZero():
		return uuid.NewString()
	}
	return wanted.ID.String()
}

// seatChoice is a booking.HoldRef with a seat, as the API takes it.
type seatChoice struct {
	Seat booking.SeatID `json:"seat_id"`
	Hold booking.HoldID `json:"hold_id,omitzero"`
}

// Confirm books every seat of a live hold, see booking.Seats. Idempotent.
func (c *Client) Confirm(ctx context.Context, ref booking.HoldRef) (booking.Booking, error) {
	r := request{operation: "Confirm", method: http.MethodPost, user: ref.User}
	err := route(ref, &r, "/v1/holds/"+ref.Hold.String()+"/confirm", "/train/confirm-booking/")
	if err != nil {
		return booking.Booking{}, err
	}
	booked, err := ask(ctx, c, r, func(doc bookingDoc) (booking.Booking, error) { return doc.booking(ref.User) })
	if err != nil {
		return booking.Booking{}, c.notHeld(ctx, ref, err)
	}
	return booked, nil
}

// Release ends a live hold at once, see booking.Seats. After outcome unknown the same call
// is seat_not_locked if the first did it.
func (c *Client) Release(ctx context.Context, ref booking.HoldRef) error {
	r := request{operation: "Release", method: http.MethodPost, user: ref.User}
	if ref.Seat == 0 {
		r.method, r.success = http.MethodDelete, []int{http.StatusNoContent}
	}
	if err := route(ref, &r, "/v1/holds/"+ref.Hold.String(), "/train/release-seat/"); err != nil {
		return err
	}
	return c.notHeld(ctx, ref, c.send(ctx, r, nil))
}

// route sends a request to where holds are named by their ids, or to where by a seat. Errors,
// without a request: not_found for a seat that no train has, as the number is 16 bits of
// the seat's id; seat_not_locked for a hold of another train.
func route(ref booking.HoldRef, r *request, byHold, bySeat string) error {
	switch {
	case ref.Seat < 0 || ref.Seat > booking.MaxCapacity:
		return booking.NotFound("seat")
	case !ref.Hold.IsZero() && ref.Hold.Train() != ref.Train:
		return notLocked()
	case ref.Seat == 0 && ref.Hold.IsZero():
		return notLocked() // it means nothing
	case ref.Seat == 0:
		r.path = byHold
	default:
		r.path, r.body = bySeat, seatChoice{ref.Train.Seat(ref.Seat), ref.Hold}
	}
	return nil
}

// notHeld tells apart what is one answer where a hold is a resource: a train that is not
// there, which the second question finds out, and a hold that is not there.
func (c *Client) notHeld(ctx context.Context, ref booking.HoldRef, err error) error {
	if ref.Seat != 0 || booking.CodeOf(err) != booking.CodeNotFound {
		return err
	}
	if _, gone := c.FindTrain(ctx, ref.Train); booking.CodeOf(gone) == booking.CodeNotFound {
		return gone
	}
	return notLocked()
}

func notLocked() *booking.Error {
	return &booking.Error{Code: booking.CodeSeatNotLocked, Message: "Seat is not locked"}
}
