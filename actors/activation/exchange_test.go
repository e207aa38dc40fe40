package activation_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// booked holds a seat and confirms it.
func (d *driver) booked(seat int) booking.Booking {
	h := d.held(seat)
	confirm := d.request(confirmOf(h))
	d.deliver(activation.Written{Write: take[*activation.WriteSale](d)})
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d)})
	return d.responses[confirm].Value.(booking.Booking)
}

// exchangeOf exchanges a booking of this train, or, with the zero Booking, one of another train.
func exchangeOf(h booking.Hold, old booking.Booking) activation.Exchange {
	return activation.Exchange{HoldRef: confirmOf(h).HoldRef, OldTrain: old.Train, Old: old.ID}
}

func TestExchangeFreesTheOldSeatsOfItsTrain(t *testing.T) {
	t.Parallel()
	d := serving(t)
	old, h := d.booked(1), d.held(2)
	r := d.request(exchangeOf(h, old))
	write := take[*activation.WriteExchange](d)
	require.Equal(t, old.ID, write.Old)
	require.Equal(t, old.Train, write.OldTrain)
	require.EqualValues(t, 7, write.Guard.Epoch)
	parked := d.request(confirmOf(h))
	taken := d.request(holdOf(1))
	require.Equal(t, booking.CodeSeatBooked, d.code(taken), "it is booked until the write has ended")
	d.deliver(activation.Written{Write: write})
	require.Equal(t, write.Booking, d.responses[r].Value)
	require.Equal(t, booking.BookingIDOf(anna, h.ID), write.Booking.ID)
	require.Equal(t, write.Booking, d.responses[parked].Value)
	drop := take[*activation.WriteHold](d)
	require.Equal(t, persistence.HoldDrop, drop.Op)
	require.Equal(t, h.ID, drop.Hold.ID)
	d.deliver(activation.Written{Write: drop})
	d.held(1)
	require.Empty(t, d.asked)
}

func TestHoldStaysWhenTheOldBookingIsNotLive(t *testing.T) {
	t.Parallel()
	for name, old := range map[string]booking.Booking{
		"of this train": {ID: uuid.UUID{1}, Train: line.ID}, "of another train": {ID: uuid.UUID{1}, Train: booking.DerivedTrainID("other")},
	} {
		d := serving(t)
		h := d.held(1)
		r := d.request(exchangeOf(h, old))
		d.deliver(activation.Written{Write: take[*activation.WriteExchange](d), Err: persistence.ErrNotLive})
		require.Equal(t, booking.CodeBookingCancelled, d.code(r), name)
		require.Equal(t, activation.Serving, d.State(), name)
		d.request(confirmOf(h))
		take[*activation.WriteSale](d)
	}
}

func TestExchangeFailsLikeAConfirmation(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		code booking.Code
	}{
		"unreachable":   {errors.New("connection refused"), booking.CodeUnavailable},
		"fenced":        {persistence.ErrFenced, ""},
		"unknown":       {persistence.ErrUnknown, ""},
		"contradicted":  {persistence.ErrConflict, ""},
		"train deleted": {persistence.ErrNotFound, ""},
	} {
		d := serving(t)
		h := d.held(1)
		r := d.request(exchangeOf(h, booking.Booking{}))
		d.deliver(activation.Written{Write: take[*activation.WriteExchange](d), Err: c.err})
		if c.code == "" {
			require.True(t, d.responses[r].Retry, name)
			require.NotNil(t, d.closed, name)
			continue
		}
		require.Equal(t, c.code, d.code(r), name)
		d.request(confirmOf(h))
		take[*activation.WriteSale](d)
	}

	d := serving(t)
	refused := d.request(exchangeOf(d.held(1), booking.Booking{}), met(1))
	d.deliver(activation.Written{Write: take[*activation.WriteExchange](d), Err: persistence.ErrConflict})
	require.Equal(t, booking.CodeSeatNotLocked, d.code(refused), "met again")
}

func TestExchangeNeedsAHold(t *testing.T) {
	t.Parallel()
	d := serving(t)
	old, h := d.booked(1), d.held(2)
	d.request(confirmOf(h))
	d.deliver(activation.Written{Write: take[*activation.WriteSale](d)})
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d)})
	r := d.request(exchangeOf(h, old))
	require.Equal(t, booking.CodeHoldConfirmed, d.code(r))

	late := d.held(3)
	d.now = late.ExpiresAt
	r = d.request(exchangeOf(late, old))
	d.deliver(activation.HistoryRead{
		Of: take[*activation.ReadHistory](d), History: booking.History{Holds: []booking.Hold{incarnated(late)}},
	})
	require.Equal(t, booking.CodeHoldExpired, d.code(r))
	require.Empty(t, d.asked)
}

func incarnated(h booking.Hold) booking.Hold {
	h.Incarnation = line.Incarnation()
	return h
}

// As a cancellation would.
func TestCheckOfACancellationDropsTheHold(t *testing.T) {
	t.Parallel()
	d := newDriver(t, activation.Handoff{})
	h := booking.Hold{ID: booking.NewHoldID(line.ID), User: anna, Legs: line.Run(), Seats: []int{1}, ExpiresAt: noon.Add(time.Minute)}
	b := booking.Booking{ID: booking.BookingIDOf(anna, h.ID), Train: line.ID, User: anna, Legs: h.Legs, Seats: h.Seats, BookedAt: noon}
	d.load(persistence.LoadedTrain{Bookings: []booking.Booking{b}, Seats: map[int]booking.Legs{1: b.Legs}}, h)
	check := activation.CheckCancel{User: anna, ID: b.ID}
	r := d.request(check)
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d), Err: errors.New("connection refused")})
	require.Equal(t, booking.CodeUnavailable, d.code(r))
	r = d.request(check)
	require.NotContains(t, d.responses, r)
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d)})
	require.NoError(t, d.responses[r].Err)
	again := d.request(check)
	require.NoError(t, d.responses[again].Err)
	require.Empty(t, d.asked, "nothing is cancelled")
	require.Equal(t, booking.CodeSeatBooked, d.code(d.request(holdOf(1))))
}

// As after a cancellation, or a late retry of the old hold would succeed.
func TestHistoryIsReadAgainIfABookingWasExchangedSince(t *testing.T) {
	t.Parallel()
	d := serving(t)
	first := d.held(1)
	confirm := d.request(confirmOf(first))
	d.deliver(activation.Written{Write: take[*activation.WriteSale](d)})
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d)})
	old, h := d.responses[confirm].Value.(booking.Booking), d.held(2)
	again := holdOf(1)
	again.ID, again.NewID = first.ID, false
	r := d.request(again)
	stale := take[*activation.ReadHistory](d)
	d.request(exchangeOf(h, old))
	d.deliver(activation.Written{Write: take[*activation.WriteExchange](d)})
	d.deliver(activation.HistoryRead{Of: stale})
	old.CancelledAt = noon
	d.deliver(activation.HistoryRead{Of: take[*activation.ReadHistory](d), History: booking.History{Cancelled: []booking.Booking{old}}})
	require.Equal(t, booking.CodeSeatBooked, d.code(r))
}
