package actors_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// exchange is a booking of seat 1 of a train, and a hold of seat 2 of another one, which other processes own.
type exchange struct {
	from, to booking.TrainID
	user     uuid.UUID
	old      booking.Booking
	hold     booking.Hold
}

func (c *virtualCluster) exchangeOf(first, second *node, all ...*node) exchange {
	c.Helper()
	x := exchange{from: c.trainOf(first, all...), to: c.trainOf(second, all...), user: uuid.New()}
	h, err := first.Hold(c.Context(), seat(x.from, x.user, 1))
	require.NoError(c, err)
	x.old, err = first.Confirm(c.Context(), refTo(h))
	require.NoError(c, err)
	x.hold, err = second.Hold(c.Context(), seat(x.to, x.user, 2))
	require.NoError(c, err)
	return x
}

// requireExchanged checks what there is after an exchange.
func (c *virtualCluster) requireExchanged(n *node, x exchange, b booking.Booking) {
	c.Helper()
	require.Equal(c, booking.BookingIDOf(x.user, x.hold.ID), b.ID)
	require.Equal(c, x.hold.Seats, b.Seats)
	require.Equal(c, booking.Tally{Available: 10}, tally(c.T, n, x.from))
	require.Equal(c, booking.Tally{Booked: 1, Available: 9}, tally(c.T, n, x.to))
	old, err := n.FindBooking(c.Context(), x.user, x.old.ID)
	require.NoError(c, err)
	require.Equal(c, booking.ByPassenger, old.CancelledBy)
	require.Equal(c, b.BookedAt, old.CancelledAt)
	found, err := n.FindBooking(c.Context(), x.user, b.ID)
	require.NoError(c, err)
	require.Equal(c, b, found.Booking)
}

func TestExchangeCrossesTheOwnersOfBothTrains(t *testing.T) {
	t.Parallel()
	for through := range 3 {
		onVirtualCluster(t, func(c *virtualCluster) {
			nodes := []*node{c.join(), c.join(), c.join()}
			x := c.exchangeOf(nodes[0], nodes[1], nodes...)
			b, err := nodes[through].ExchangeBooking(c.Context(), x.user, x.old.ID, x.hold.ID)
			require.NoError(c, err)
			c.requireExchanged(nodes[2], x, b)
			synctest.Wait() // the response does not wait until the hold is dropped
			require.Empty(c, c.stored(x.to))
			_, err = nodes[0].Hold(c.Context(), seat(x.from, uuid.New(), 1))
			require.NoError(c, err)
		})
	}
}

func TestExchangeWithALostResponseIsFound(t *testing.T) {
	t.Parallel()
	for _, done := range []bool{true, false} {
		onVirtualCluster(t, func(c *virtualCluster) {
			first, second := c.join(), c.join()
			x := c.exchangeOf(first, second, first, second)
			writes := 0
			second.link.exchange.set(func(_ []persistence.Exchange, write func() ([]error, error)) ([]error, error) {
				if writes++; writes > 1 {
					return write()
				}
				if done {
					results, err := write()
					require.NoError(c, errors.Join(append(results, err)...))
				}
				return nil, persistence.ErrUnknown
			})
			b, err := first.ExchangeBooking(c.Context(), x.user, x.old.ID, x.hold.ID)
			require.NoError(c, err)
			require.Equal(c, map[bool]int{true: 1, false: 2}[done], writes)
			c.requireExchanged(first, x, b)
		})
	}
}

// The seats stay unsold in the memory of their owner until it cancels the booking too.
func TestExchangeSucceedsBeforeTheOldSeatsAreOnSale(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		first, second := c.join(), c.join()
		x := c.exchangeOf(first, second, first, second)
		first.link.cancel.Store(&errUnreachable)
		b, err := second.ExchangeBooking(c.Context(), x.user, x.old.ID, x.hold.ID)
		require.NoError(c, err)
		require.Equal(c, booking.Tally{Booked: 1, Available: 9}, tally(c.T, first, x.from))
		_, err = first.Hold(c.Context(), seat(x.from, uuid.New(), 1))
		require.Equal(c, booking.CodeSeatBooked, booking.CodeOf(err))
		wait(10 * time.Second)
		require.Equal(c, booking.Tally{Booked: 1, Available: 9}, tally(c.T, first, x.from))
		first.link.cancel.Store(nil)
		wait(2 * time.Second)
		c.requireExchanged(second, x, b)
	})
}

// As after the death of the process that had the request.
func TestRepeatedExchangePutsTheOldSeatsOnSale(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		first, second := c.join(), c.join()
		x := c.exchangeOf(first, second, first, second)
		first.link.cancel.Store(&errUnreachable)
		_, err := second.ExchangeBooking(c.Context(), x.user, x.old.ID, x.hold.ID)
		require.NoError(c, err)
		wait(2 * time.Minute)
		first.link.cancel.Store(nil)
		wait(2 * time.Second)
		require.Equal(c, booking.Tally{Booked: 1, Available: 9}, tally(c.T, first, x.from), "it was tried for a minute")
		b, err := first.ExchangeBooking(c.Context(), x.user, x.old.ID, x.hold.ID)
		require.NoError(c, err)
		c.requireExchanged(first, x, b)
	})
}

func TestBookingThatIsCancelledDuringItsExchangeIsNotExchanged(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		first, second := c.join(), c.join()
		x := c.exchangeOf(first, second, first, second)
		second.link.exchange.set(func(_ []persistence.Exchange, write func() ([]error, error)) ([]error, error) {
			require.NoError(c, first.CancelBooking(c.Context(), x.user, x.old.ID))
			return write()
		})
		_, err := first.ExchangeBooking(c.Context(), x.user, x.old.ID, x.hold.ID)
		require.Equal(c, booking.CodeBookingCancelled, booking.CodeOf(err))
		require.Equal(c, booking.Tally{Available: 10}, tally(c.T, first, x.from))
		require.Equal(c, booking.Tally{Held: 1, Available: 9}, tally(c.T, first, x.to))
		_, err = first.Confirm(c.Context(), refTo(x.hold))
		require.NoError(c, err, "the hold stays")
	})
}

func TestBookingIsNotExchangedAfterItsDeparture(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		first, second := c.join(), c.join()
		x := c.exchangeOf(first, second, first, second)
		c.leaves(first, x.from, time.Minute)
		wait(time.Minute)
		_, err := second.ExchangeBooking(c.Context(), x.user, x.old.ID, x.hold.ID)
		require.Equal(c, booking.CodeDeparted, booking.CodeOf(err))
		require.Equal(c, booking.Tally{Booked: 1, Available: 9}, tally(c.T, first, x.from))
		require.Equal(c, booking.Tally{Held: 1, Available: 9}, tally(c.T, first, x.to))
	})
}

// leaves makes a train leave its first stop after a while.
func (c *virtualCluster) leaves(n *node, id booking.TrainID, after time.Duration) {
	c.Helper()
	found, err := n.FindTrain(c.Context(), id)
	require.NoError(c, err)
	train := *found.Train
	train.Stops = slices.Clone(train.Stops)
	train.Stops[0].DepartsAt = time.Now().Add(after)
	_, _, err = n.PutTrain(c.Context(), train)
	require.NoError(c, err)
}

// The passenger was in time, but the seats are freed after the departure.
func TestExchangeEndsAfterTheDeparture(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		first, second := c.join(), c.join()
		x := c.exchangeOf(first, second, first, second)
		c.leaves(first, x.from, time.Second)
		second.link.exchange.set(func(_ []persistence.Exchange, write func() ([]error, error)) ([]error, error) {
			wait(2 * time.Second)
			return write()
		})
		b, err := second.ExchangeBooking(c.Context(), x.user, x.old.ID, x.hold.ID)
		require.NoError(c, err)
		c.requireExchanged(first, x, b)
	})
}

// Readers of the stores would count the seat as held after the exchange.
func TestHoldOfABookingIsDroppedBeforeItsExchange(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		first, second := c.join(), c.join()
		from, to, user := c.trainOf(first, first, second), c.trainOf(second, first, second), uuid.New()
		first.link.holds.set(func(writes []persistence.HoldWrite, write func() ([]error, error)) ([]error, error) {
			if writes[0].Op == persistence.HoldDrop {
				return nil, errUnreachable
			}
			return write()
		})
		h, err := first.Hold(c.Context(), seat(from, user, 1))
		require.NoError(c, err)
		old, err := first.Confirm(c.Context(), refTo(h))
		require.NoError(c, err)
		hold, err := second.Hold(c.Context(), seat(to, user, 2))
		require.NoError(c, err)
		_, err = second.ExchangeBooking(c.Context(), user, old.ID, hold.ID)
		refused, _ := errors.AsType[*booking.Error](err)
		require.Equal(c, booking.OutcomeNotExecuted, refused.Outcome, "%v", err)
		require.Equal(c, booking.Tally{Held: 1, Available: 9}, tally(c.T, first, to))
		first.link.holds.Store(nil)
		b, err := second.ExchangeBooking(c.Context(), user, old.ID, hold.ID)
		require.NoError(c, err)
		synctest.Wait() // the response does not wait until the hold is dropped
		require.Empty(c, c.stored(from))
		c.requireExchanged(first, exchange{from, to, user, old, hold}, b)
	})
}
