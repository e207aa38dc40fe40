package activation_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// Found by test/chaos, seed 7: readers of the stores saw the seat held until the end of the hold.
func TestBookingIsCancelledAfterItsHoldIsDropped(t *testing.T) {
	t.Parallel()
	d := serving(t)
	h := d.held(1)
	confirm := d.request(confirmOf(h))
	d.deliver(activation.Written{Write: take[*activation.WriteSale](d)})
	b := d.responses[confirm].Value.(booking.Booking)
	lost := errors.New("connection refused")
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d), Err: lost})

	cancel := activation.Cancel{User: anna, ID: b.ID}
	r := d.request(cancel)
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d), Err: lost})
	require.Equal(t, booking.CodeUnavailable, d.code(r))
	require.Empty(t, d.asked)

	next := newDriver(t, activation.Handoff{})
	next.load(persistence.LoadedTrain{Bookings: []booking.Booking{b}}, h)
	for _, d := range []*driver{d, next} {
		r = d.request(cancel)
		drop := take[*activation.WriteHold](d)
		require.Equal(t, persistence.HoldDrop, drop.Op)
		require.Equal(t, h.ID, drop.Hold.ID)
		require.Empty(t, d.asked)
		d.deliver(activation.Written{Write: drop})
		d.deliver(activation.Written{Write: take[*activation.WriteCancellation](d)})
		require.NoError(t, d.responses[r].Err)
		require.Empty(t, d.asked)
	}
}

func TestPartOfAHoldIsCancelledAfterTheRestIsStored(t *testing.T) {
	t.Parallel()
	d := serving(t)
	h := d.held(1, 2, 3)
	some := confirmOf(h)
	some.Seats = []int{1}
	confirm := d.request(some)
	d.deliver(activation.Written{Write: take[*activation.WriteSale](d)})
	b := d.responses[confirm].Value.(booking.Booking)
	require.Equal(t, []int{1}, b.Seats)
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d), Err: errors.New("connection refused")})

	next := newDriver(t, activation.Handoff{})
	next.load(persistence.LoadedTrain{Bookings: []booking.Booking{b}}, h)
	stored := take[*activation.WriteHold](next)
	require.Equal(t, []int{2, 3}, stored.Hold.Seats)
	require.Equal(t, activation.Loading, next.State(), "readers of the stores must see the rest first")
	next.deliver(activation.Written{Write: stored})
	for _, d := range []*driver{d, next} {
		r := d.request(activation.Cancel{User: anna, ID: b.ID})
		rest := take[*activation.WriteHold](d)
		require.Equal(t, persistence.HoldPutAgain, rest.Op)
		require.Equal(t, []int{2, 3}, rest.Hold.Seats)
		require.Empty(t, d.asked)
		d.deliver(activation.Written{Write: rest})
		d.deliver(activation.Written{Write: take[*activation.WriteCancellation](d)})
		require.NoError(t, d.responses[r].Err)
	}
}

func TestCancellationOfAPartWaitsForTheHoldInTransit(t *testing.T) {
	t.Parallel()
	d := serving(t)
	h := d.held(1, 2)
	some := confirmOf(h)
	some.Seats = []int{1}
	confirm := d.request(some)
	d.deliver(activation.Written{Write: take[*activation.WriteSale](d)})
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d), Err: errors.New("connection refused")})
	d.request(activation.Extend{HoldRef: confirmOf(h).HoldRef})
	extension := take[*activation.WriteHold](d)
	require.Equal(t, []int{2}, extension.Hold.Seats)
	d.request(activation.Cancel{User: anna, ID: d.responses[confirm].Value.(booking.Booking).ID})
	require.Empty(t, d.asked)
	d.deliver(activation.Written{Write: extension})
	require.True(t, take[*activation.WriteHold](d).Hold.Extended, "or the extension would be undone")
}

func TestSecondOfTwoCancellationsAtOnceIsSentAgain(t *testing.T) {
	t.Parallel()
	d := serving(t)
	h := d.held(1, 2)
	confirm := d.request(confirmOf(h))
	d.deliver(activation.Written{Write: take[*activation.WriteSale](d)})
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d)})
	b := d.responses[confirm].Value.(booking.Booking)
	one := d.request(activation.Cancel{User: anna, ID: b.ID, Seats: []int{1}})
	first := take[*activation.WriteCancellation](d)
	two := d.request(activation.Cancel{User: anna, ID: b.ID, Seats: []int{2}})
	second := take[*activation.WriteCancellation](d)
	require.Equal(t, []int{2}, second.Seats)
	d.deliver(activation.Written{Write: first})
	require.NoError(t, d.responses[one].Err)
	d.deliver(activation.Written{Write: second, Err: persistence.ErrConflict})
	require.True(t, d.responses[two].Retry)

	b.Seats = []int{2}
	next := newDriver(t, activation.Handoff{})
	next.load(persistence.LoadedTrain{Bookings: []booking.Booking{b}})
	gone := next.request(activation.Cancel{User: anna, ID: b.ID, Seats: []int{1}}, met(1))
	next.deliver(activation.Written{Write: take[*activation.WriteCancellation](next), Err: persistence.ErrConflict})
	require.Equal(t, booking.CodeNotFound, next.code(gone))
	two = next.request(activation.Cancel{User: anna, ID: b.ID, Seats: []int{2}})
	whole := take[*activation.WriteCancellation](next)
	require.Nil(t, whole.Seats, "no other seat is left")
	next.deliver(activation.Written{Write: whole})
	require.NoError(t, next.responses[two].Err)
}
