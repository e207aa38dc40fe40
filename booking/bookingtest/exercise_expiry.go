package bookingtest

import (
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// expiryWithin is the longest time after its deadline until a hold's seats are on sale again.
const expiryWithin = time.Second

var expiryFacts = []fact{
	{"ExpiredHoldFreesExactlyItsLegs", func(x *exercise) {
		train, user := x.create(x.draft(2)), uuid.New()
		x.book(x.between(request(train, user, 1), "A", "B"))
		hold := x.hold(x.between(request(train, uuid.New(), 1, 2), "B", "C"))
		require.Equal(x, "hh", x.seats(train, "B", "C"))
		x.waitUntilFree(train, hold, "B", "C")
		require.Equal(x, "ba", x.seats(train, "A", "B"), "the booking stays")
		require.Equal(x, "aa", x.seats(train, "B", "D"))
		x.requireTally(train, booking.Tally{Booked: 1, Available: 1})
	}},
	{"ExpiredHoldCannotBeUsed", func(x *exercise) {
		train, user := x.create(x.draft(2)), uuid.New()
		hold := x.hold(request(train, user, 1, 2))
		require.Eventually(x, func() bool { return !time.Now().Before(hold.ExpiresAt) },
			x.ttl+expiryWithin, time.Millisecond)
		// Its seats may not have been freed yet.
		_, err := x.Confirm(x.ctx(), byHold(hold))
		x.requireCode(booking.CodeHoldExpired, err)
		require.Equal(x, hold.ExpiresAt, detailsOf(err).ExpiredAt)
		for _, ref := range []booking.HoldRef{byHold(hold), bySeat(train, user, 2)} {
			x.requireCode(booking.CodeHoldExpired, x.Release(x.ctx(), ref))
		}
		x.requireCode(booking.CodeSeatNotLocked, x.Release(x.ctx(), bySeat(train, uuid.New(), 2)))
		other := x.hold(request(train, uuid.New(), 1))
		require.NotEqual(x, hold.ID, other.ID)
		_, err = x.Hold(x.ctx(), request(train, user, 1, 2))
		x.requireCode(booking.CodeSeatLocked, err)
	}},
	{"ExpiredHoldIsNoExchange", func(x *exercise) {
		from, to, user := x.create(x.draft(1)), x.create(x.draft(1)), uuid.New()
		old, hold := x.book(request(from, user, 1)), x.hold(request(to, user, 1))
		x.waitUntilFree(to, hold, "A", "D")
		_, err := x.ExchangeBooking(x.ctx(), user, old.ID, hold.ID)
		x.requireCode(booking.CodeHoldExpired, err)
		require.Equal(x, hold.ExpiresAt, detailsOf(err).ExpiredAt)
		x.requireTally(from, booking.Tally{Booked: 1})
	}},
	{"ExtendedHoldIsConfirmedAfterItsFirstDeadline", func(x *exercise) {
		train, user := x.create(x.draft(2)), uuid.New()
		hold, other := x.hold(request(train, user, 1)), x.hold(request(train, user, 2))
		extended, err := x.Extend(x.ctx(), byHold(hold))
		require.NoError(x, err)
		x.waitUntilFree(train, other, "A", "D")
		_, err = x.Extend(x.ctx(), byHold(other))
		x.requireCode(booking.CodeHoldExpired, err)
		_, err = x.Confirm(x.ctx(), byHold(extended))
		require.NoError(x, err)
	}},
	{"HoldIsListedUntilItExpires", func(x *exercise) {
		train, user := x.create(x.draft(2)), uuid.New()
		hold := x.hold(request(train, user, 1))
		extended, err := x.Extend(x.ctx(), byHold(x.hold(request(train, user, 2))))
		require.NoError(x, err)
		var lists [][]booking.HoldOnTrain // of each time that they have changed
		require.Eventually(x, func() bool {
			before := time.Now()
			page, err := x.UserHolds(x.ctx(), user)
			require.NoError(x, err)
			for _, h := range page.Items {
				require.True(x, h.ExpiresAt.After(before))
			}
			if len(lists) == 0 || len(lists[len(lists)-1]) != len(page.Items) {
				lists = append(lists, page.Items)
			}
			return len(page.Items) == 0
		}, 2*x.ttl+2*expiryWithin, 5*time.Millisecond)
		require.False(x, time.Now().Before(extended.ExpiresAt))
		require.Len(x, lists, 3)
		require.Equal(x, []booking.Hold{hold, extended}, []booking.Hold{lists[0][0].Hold, lists[0][1].Hold})
		require.Equal(x, extended, lists[1][0].Hold)
	}},
	{"ExpiredHoldDoesNotCountTowardsTheLimit", func(x *exercise) {
		train, user := x.create(x.draft(2*maxSeats)), uuid.New()
		all := func(first int) booking.HoldRequest {
			r := request(train, user)
			for n := range maxSeats {
				r.Seats = append(r.Seats, first+n)
			}
			return r
		}
		hold := x.hold(all(1))
		_, err := x.Hold(x.ctx(), all(maxSeats+1))
		x.requireCode(booking.CodeTooManyHolds, err)
		x.waitUntilFree(train, hold, "A", "D")
		x.hold(all(maxSeats + 1))
	}},
	{"SeatIsAmbiguousAfterAnExpiredSegment", func(x *exercise) {
		train, user := x.create(x.draft(1)), uuid.New()
		hold := x.hold(x.between(request(train, user, 1), "A", "B"))
		x.waitUntilFree(train, hold, "A", "B")
		second := x.hold(x.between(request(train, user, 1), "B", "C"))
		x.requireAmbiguous(train, user) // a late confirm of the first must not book the second
		_, err := x.Confirm(x.ctx(), byHold(second))
		require.NoError(x, err)
	}},
	{"RepeatedHoldIsNotExtended", func(x *exercise) {
		train := x.create(x.draft(1))
		r := request(train, uuid.New(), 1)
		hold := x.hold(r)
		require.Eventually(x, func() bool {
			again, err := x.Hold(x.ctx(), r)
			return err == nil && again.ExpiresAt.After(hold.ExpiresAt)
		}, x.ttl+2*expiryWithin, 20*time.Millisecond, "the next hold has a deadline of its own")
		require.False(x, time.Now().Before(hold.ExpiresAt))
	}},
	{"ConfirmedHoldDoesNotExpire", func(x *exercise) {
		train := x.create(x.draft(2))
		x.book(request(train, uuid.New(), 1))
		later := x.hold(request(train, uuid.New(), 2))
		x.waitUntilFree(train, later, "A", "D")
		x.requireTally(train, booking.Tally{Booked: 1, Available: 1})
	}},
}

// waitUntilFree waits until the seats of a hold are on sale again, and checks that this is
// neither early nor late.
func (x *exercise) waitUntilFree(train booking.Train, hold booking.Hold, from, to string) {
	x.Helper()
	var freed time.Time
	require.Eventually(x, func() bool {
		seats, err := x.SeatMap(x.ctx(), train.ID, x.station(from), x.station(to))
		freed = time.Now()
		return err == nil && seats[hold.Seats[0]-1].State == booking.SeatAvailable
	}, x.ttl+2*expiryWithin, 5*time.Millisecond)
	require.False(x, freed.Before(hold.ExpiresAt), "freed early")
	require.WithinDuration(x, hold.ExpiresAt, freed, expiryWithin)
}
