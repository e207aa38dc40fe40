package activation

import (
	"errors"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// CheckCancel is the part of Cancel before the write: it returns nothing if the user may cancel the booking,
// whose hold is then not stored any more. It is for the train of a booking that is about to be exchanged.
type CheckCancel struct{ User, ID uuid.UUID }

func (x CheckCancel) run(m *Machine, c *call) {
	if m.checkCancel(c, x.User, x.ID, false) {
		m.respond(c, nil, nil)
	}
}

// Exchange is Confirm that also cancels a booking of the user, of this train or another one, in the same write.
// A hold that is confirmed already is refused: whether by an earlier attempt, only the old booking shows.
type Exchange struct {
	booking.HoldRef
	OldTrain booking.TrainID
	Old      uuid.UUID
}

func (x Exchange) run(m *Machine, c *call) {
	b, id, made, refused := m.confirm(c, x.HoldRef)
	switch {
	case refused:
	case !made:
		m.respond(c, nil, &booking.Error{Code: booking.CodeHoldConfirmed, Message: "The hold is confirmed already"})
	default:
		m.ask(&WriteExchange{m.sale(c, id, b, func(err error) error { return m.exchanged(x, err) }), persistence.Exchange{
			Sale: persistence.Sale{Guard: m.guard, Booking: b}, OldTrain: x.OldTrain, Old: x.Old,
		}})
	}
}

// exchanged removes the old booking if it is cancelled, and returns the error of the sale. The seat map
// does not have a booking of another train: its owner removes it when it gets a Cancel.
func (m *Machine) exchanged(x Exchange, err error) error {
	switch {
	case errors.Is(err, persistence.ErrNotLive):
		return booking.AlreadyCancelled()
	case err == nil:
		m.seats.Cancelled(x.Old)
		m.cancels[x.User]++
	}
	return err
}
