package actors

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const (
	// freeTimeout bounds how long an exchange waits until the old seats are on sale. The owner of their
	// train has just answered, so that it mostly takes as long as one more request.
	freeTimeout = time.Second
	// freeRetries bounds how long that is tried again in the background: longer than a takeover takes.
	freeRetries = time.Minute
)

// ExchangeBooking implements booking.Service. It takes three commands: the old train checks that the
// booking may be cancelled, the new one exchanges it, and then the old one cancels it too. After the second one
// the exchange has succeeded, whatever becomes of the third.
func (s *System) ExchangeBooking(
	ctx context.Context, user, id uuid.UUID, hold booking.HoldID,
) (booking.Booking, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	old, err := s.store.FindBooking(ctx, id)
	switch {
	case err != nil:
		return booking.Booking{}, bookingError(err)
	case old.User != user:
		return booking.Booking{}, booking.NotFound("booking")
	case old.CancelledAt.IsZero():
		err = s.checkCancel(ctx, old)
	default:
		err = booking.AlreadyCancelled()
	}
	var b booking.Booking
	lost := false
	if err == nil {
		b, lost, err = sendRequest[booking.Booking](ctx, s, hold.Train(), activation.Exchange{
			HoldRef:  booking.HoldRef{User: user, Train: hold.Train(), Hold: hold},
			OldTrain: old.Train, Old: id,
		})
	}
	switch booking.CodeOf(err) {
	case booking.CodeBookingCancelled, booking.CodeHoldConfirmed:
		b, err = s.exchangedBefore(ctx, old.ID, booking.BookingIDOf(user, hold), err)
		err = unknownIfLost(err, lost)
	case booking.CodeNotFound: // its train
		return b, &booking.Error{Code: booking.CodeSeatNotLocked, Message: "Seat is not locked"}
	}
	if err == nil && old.Train != b.Train {
		s.freeExchanged(ctx, old)
	}
	return b, err
}

// checkCancel returns why a booking cannot be cancelled now.
func (s *System) checkCancel(ctx context.Context, b booking.Booking) error {
	_, _, err := sendRequest[empty](ctx, s, b.Train, activation.CheckCancel{User: b.User, ID: b.ID})
	if booking.CodeOf(err) == booking.CodeNotFound { // the train, which was deleted with its bookings
		return booking.AlreadyCancelled()
	}
	return err
}

// exchangedBefore returns the new booking if an earlier attempt has exchanged the old one for it, and
// otherwise why that is impossible. The old one is read first: if it was exchanged by then, the new one is
// there.
func (s *System) exchangedBefore(ctx context.Context, oldID, newID uuid.UUID, refused error) (booking.Booking, error) {
	old, err := s.store.FindBooking(ctx, oldID)
	if err != nil {
		return booking.Booking{}, bookingError(err)
	}
	if old.CancelledAt.IsZero() {
		return booking.Booking{}, refused
	}
	b, err := s.store.FindBooking(ctx, newID)
	switch {
	case err != nil && !errors.Is(err, persistence.ErrNotFound):
		return booking.Booking{}, persistence.ClientError(err)
	case err != nil || !b.CancelledAt.IsZero():
		return booking.Booking{}, booking.AlreadyCancelled()
	}
	return b, nil
}

// freeExchanged puts the seats of an exchanged booking of another train on sale. The store has them free
// already, but their owner counts them as booked until it cancels the booking too.
func (s *System) freeExchanged(ctx context.Context, old booking.Booking) {
	free := func(ctx context.Context) error {
		_, _, err := sendRequest[empty](ctx, s, old.Train, activation.Cancel{
			User: old.User, ID: old.ID, Departed: true, By: booking.ByPassenger,
		})
		if booking.CodeOf(err) == booking.CodeNotFound { // the train is deleted
			return nil
		}
		return err
	}
	soon, cancel := context.WithTimeout(ctx, freeTimeout)
	defer cancel()
	err := free(soon)
	if err == nil {
		return
	}
	log := s.log.With(slog.String("train", old.Train.String()), slog.String("booking", old.ID.String()))
	log.Warn("the seats of an exchanged booking are not on sale yet, trying again", slog.Any("error", err))
	if s.running.Err() != nil {
		return
	}
	s.background.Go(func() {
		ctx, cancel := context.WithTimeout(s.running, freeRetries)
		defer cancel()
		for err != nil && pause(ctx, time.Second) == nil {
			err = free(ctx)
		}
		if err != nil {
			log.Warn("the seats of an exchanged booking are not on sale before the next activation of the train", slog.Any("error", err))
		}
	})
}
