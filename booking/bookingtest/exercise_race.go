package bookingtest

import (
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

var raceFacts = []fact{
	{"HundredUsersGetThirtySeats", func(x *exercise) {
		train := x.create(x.draft(30))
		won := x.race(100, func(n int) error {
			hold, err := x.Hold(x.ctx(), request(train, uuid.New(), n%30+1))
			if err != nil {
				return err
			}
			_, err = x.Confirm(x.ctx(), byHold(hold))
			return err
		}, booking.CodeSeatLocked, booking.CodeSeatBooked)
		require.Equal(x, 30, won)
		x.requireTally(train, booking.Tally{Booked: 30})
		x.requireSoldOnce(train, 30)
	}},
	{"HundredUsersWhoTakeAnySeatGetThirty", func(x *exercise) {
		train := x.create(x.draft(30))
		won := x.race(100, func(int) error {
			r := request(train, uuid.New())
			r.Count = 1
			_, err := x.Hold(x.ctx(), r)
			return err
		}, booking.CodeNotEnoughSeats)
		require.Equal(x, 30, won)
		x.requireTally(train, booking.Tally{Held: 30})
	}},
	{"SegmentsSoldAtOnceDoNotOverlap", func(x *exercise) {
		train := x.create(x.draft(5))
		segments := [][2]string{{"A", "B"}, {"B", "D"}, {"A", "C"}, {"C", "D"}, {"B", "C"}, {"A", "D"}}
		won := x.race(90, func(n int) error {
			s := segments[n%len(segments)]
			hold, err := x.Hold(x.ctx(), x.between(request(train, uuid.New(), n%5+1), s[0], s[1]))
			if err != nil {
				return err
			}
			_, err = x.Confirm(x.ctx(), byHold(hold))
			return err
		}, booking.CodeSeatLocked, booking.CodeSeatBooked)
		x.requireSoldOnce(train, won)
		require.NotContains(x, x.seats(train, "A", "D"), "a", "every seat was requested on the whole run")
	}},
	{"IdenticalHoldsAtOnceAreOne", func(x *exercise) {
		train, user := x.create(x.draft(2)), uuid.New()
		holds := make([]booking.Hold, 20)
		won := x.race(len(holds), func(n int) (err error) {
			holds[n], err = x.Hold(x.ctx(), request(train, user, 1, 2))
			return err
		})
		require.Equal(x, len(holds), won)
		for _, hold := range holds {
			require.Equal(x, holds[0], hold)
		}
		x.requireTally(train, booking.Tally{Held: 2})
	}},
	{"IdenticalConfirmsAtOnceAreOneBooking", func(x *exercise) {
		train, user := x.create(x.draft(1)), uuid.New()
		hold := x.hold(request(train, user, 1))
		bookings := make([]booking.Booking, 20)
		won := x.race(len(bookings), func(n int) (err error) {
			bookings[n], err = x.Confirm(x.ctx(), byHold(hold))
			return err
		})
		require.Equal(x, len(bookings), won)
		for _, b := range bookings {
			require.Equal(x, bookings[0], b)
		}
		x.requireSoldOnce(train, 1)
	}},
	{"ConfirmAndReleaseAtOnceHaveOneWinner", func(x *exercise) {
		train, user := x.create(x.draft(1)), uuid.New()
		hold := x.hold(request(train, user, 1))
		won := x.race(2, func(n int) error {
			if n == 0 {
				return x.Release(x.ctx(), byHold(hold))
			}
			_, err := x.Confirm(x.ctx(), byHold(hold))
			return err
		}, booking.CodeSeatNotLocked)
		require.Equal(x, 1, won)
		require.NotContains(x, x.seats(train, "A", "D"), "h")
	}},
	{"LimitIsExactUnderConcurrency", func(x *exercise) {
		train, user := x.create(x.draft(40)), uuid.New()
		won := x.race(40, func(n int) error {
			_, err := x.Hold(x.ctx(), request(train, user, n+1))
			return err
		}, booking.CodeTooManyHolds)
		require.Equal(x, maxSeats, won)
		x.requireTally(train, booking.Tally{Held: maxSeats, Available: 40 - maxSeats})
	}},
	{"SameTrainPutAtOnceIsCreatedOnce", func(x *exercise) {
		draft := x.draft(1)
		created := make([]bool, 10)
		won := x.race(len(created), func(n int) (err error) {
			_, created[n], err = x.PutTrain(x.ctx(), draft)
			return err
		})
		require.Equal(x, len(created), won)
		creators := 0
		for _, c := range created {
			if c {
				creators++
			}
		}
		require.Equal(x, 1, creators)
		require.Equal(x, []booking.TrainID{draft.ID}, x.searched("A", "D"))
	}},
	{"TrainThatShrinksWhileItSellsLosesNothing", func(x *exercise) {
		train := x.create(x.draft(30))
		won := x.race(60, func(n int) error {
			if n%3 == 0 {
				_, _, err := x.PutTrain(x.ctx(), x.draftOf(train, 10+20*(n%2)))
				return err
			}
			_, err := x.Hold(x.ctx(), request(train, uuid.New(), n%30+1))
			return err
		}, booking.CodeCapacityInUse, booking.CodeSeatLocked, booking.CodeNotFound)
		require.Positive(x, won)
		found, err := x.FindTrain(x.ctx(), train.ID)
		require.NoError(x, err)
		require.Equal(x, found.Train.Capacity, found.Available+found.Held+found.Booked)
	}},
}

// race calls try n times concurrently and returns how often it succeeded. Every error must
// have one of the codes.
func (x *exercise) race(n int, try func(n int) error, losers ...booking.Code) (won int) {
	x.Helper()
	start := make(chan struct{})
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-start
			errs[i] = untilExecuted(func() error { return try(i) })
		})
	}
	close(start)
	group.Wait()
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		assert.Contains(x, losers, booking.CodeOf(err), "%v", err)
	}
	return won
}

// untilExecuted tries again what was not executed, as API.md tells clients to. On a slow machine, a
// store may refuse some of many requests.
func untilExecuted(try func() error) (err error) {
	for range 10 {
		err = try()
		e, ok := errors.AsType[*booking.Error](err)
		if !ok || e.Outcome != booking.OutcomeNotExecuted {
			return err
		}
		<-time.After(e.RetryAfter)
	}
	return err
}

// requireSoldOnce checks that the train has that many bookings and that no two of them share
// a leg of a seat (RELIABILITY.md I1).
func (x *exercise) requireSoldOnce(train booking.Train, bookings int) {
	x.Helper()
	all, err := x.TrainBookings(x.ctx(), train.ID, booking.PageRequest{})
	require.NoError(x, err)
	require.Len(x, all.Items, bookings)
	sold := map[int]booking.Legs{}
	for _, b := range all.Items {
		for _, seat := range b.Seats {
			require.False(x, sold[seat].Overlaps(b.Legs), "seat %d is sold twice on %v", seat, b.Legs)
			sold[seat] |= b.Legs
		}
	}
}
