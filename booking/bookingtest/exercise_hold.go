package bookingtest

import (
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

var holdFacts = []fact{
	{"HoldLocksItsSeatsUntilItsDeadline", func(x *exercise) {
		train, user := x.create(x.draft(4)), uuid.New()
		before := time.Now()
		hold := x.hold(x.between(request(train, user, 4, 2), "B", "C"))
		require.Equal(x, user, hold.User)
		require.Equal(x, train.ID, hold.ID.Train())
		require.Equal(x, []int{2, 4}, hold.Seats)
		require.Equal(x, booking.Segment(1, 2), hold.Legs)
		require.Equal(x, hold.ExpiresAt.UTC().Truncate(time.Millisecond), hold.ExpiresAt)
		require.False(x, hold.ExpiresAt.Before(before.Add(x.ttl-time.Millisecond)))
		require.False(x, hold.ExpiresAt.After(time.Now().Add(x.ttl)))
		require.Equal(x, "ahah", x.seats(train, "A", "D"))
		require.Equal(x, "aaaa", x.seats(train, "A", "B"))
		x.requireTally(train, booking.Tally{Held: 2, Available: 2})
	}},
	{"InvalidRequestsAreRefused", func(x *exercise) {
		train, user := x.create(x.draft(4)), uuid.New()
		count := request(train, user)
		count.Count = -1
		for name, c := range map[string]struct {
			request booking.HoldRequest
			code    booking.Code
		}{
			"no seats":             {request(train, user), booking.CodeInvalidRequest},
			"negative count":       {count, booking.CodeInvalidRequest},
			"seat 0":               {request(train, user, 1, 0), booking.CodeInvalidRequest},
			"seat -1":              {request(train, user, -1), booking.CodeInvalidRequest},
			"seat 20001":           {request(train, user, 20_001), booking.CodeInvalidRequest},
			"a seat twice":         {request(train, user, 1, 2, 1), booking.CodeInvalidRequest},
			"to before from":       {x.between(request(train, user, 1), "C", "B"), booking.CodeInvalidRequest},
			"to equals from":       {x.between(request(train, user, 1), "B", "B"), booking.CodeInvalidRequest},
			"above the capacity":   {request(train, user, 1, 5), booking.CodeNotFound},
			"from another station": {x.between(request(train, user, 1), "X", "B"), booking.CodeNotFound},
			"to another station":   {x.between(request(train, user, 1), "A", "X"), booking.CodeNotFound},
		} {
			_, err := x.Hold(x.ctx(), c.request)
			x.requireCode(c.code, err, name)
		}
		x.requireTally(train, booking.Tally{Available: 4})
	}},
	{"AllSeatsAreLockedOrNone", func(x *exercise) {
		train := x.create(x.draft(4))
		first := x.hold(request(train, uuid.New(), 2))
		_, err := x.Hold(x.ctx(), request(train, uuid.New(), 1, 2, 3))
		x.requireCode(booking.CodeSeatLocked, err)
		require.Equal(x, first.ExpiresAt, detailsOf(err).BecomesFreeAt)
		require.Equal(x, "ahaa", x.seats(train, "A", "D"))
		x.book(request(train, uuid.New(), 3))
		_, err = x.Hold(x.ctx(), request(train, uuid.New(), 1, 2, 3))
		x.requireCode(booking.CodeSeatBooked, err, "waiting for seat 2 would not help")
		require.Equal(x, "ahba", x.seats(train, "A", "D"))
	}},
	{"RequestForTheSameSeatsReturnsTheSameHold", func(x *exercise) {
		train, user := x.create(x.draft(4)), uuid.New()
		first := x.hold(x.between(request(train, user, 1, 2), "A", "B"))
		require.Equal(x, first, x.hold(x.between(request(train, user, 2, 1), "A", "B")))
		_, err := x.Hold(x.ctx(), x.between(request(train, user, 1), "A", "B"))
		x.requireCode(booking.CodeSeatLocked, err, "other seats are another hold")
		_, err = x.Hold(x.ctx(), x.between(request(train, user, 1, 2), "A", "C"))
		x.requireCode(booking.CodeSeatLocked, err, "another segment is another hold")
	}},
	{"RetryReturnsTheSameHold", func(x *exercise) {
		train := x.create(x.draft(4))
		r := request(train, uuid.New())
		r.Count = 2
		require.Equal(x, x.hold(r), x.hold(r))
		x.requireTally(train, booking.Tally{Held: 2, Available: 2})
	}},
	{"RefusalOffersTheNearestFreeSeats", func(x *exercise) {
		train := x.create(x.draft(12))
		x.hold(request(train, uuid.New(), 5, 6))
		x.book(request(train, uuid.New(), 4))
		for asked, want := range map[int][]int{5: {3, 7, 2, 8, 1}, 4: {3, 2, 1, 7, 8}, 6: {7, 8, 3, 9, 2}} {
			_, err := x.Hold(x.ctx(), request(train, uuid.New(), asked))
			require.Equal(x, want, detailsOf(err).Alternatives, "%v", err)
		}
		_, err := x.Hold(x.ctx(), request(train, uuid.New(), 3, 6))
		require.Equal(x, []int{7, 8, 9, 2, 10}, detailsOf(err).Alternatives, "seat 3 was asked for too")
		full := x.create(x.draft(1))
		x.hold(request(full, uuid.New(), 1))
		_, err = x.Hold(x.ctx(), request(full, uuid.New(), 1))
		require.Empty(x, detailsOf(err).Alternatives)
	}},
	{"BestAlternativeIsHeldInstead", func(x *exercise) {
		train := x.create(x.draft(6))
		x.hold(request(train, uuid.New(), 2, 3))
		r := request(train, uuid.New(), 2, 3, 6)
		r.BestAlternative = true
		held := x.hold(r)
		require.Equal(x, []int{1, 4, 6}, held.Seats)
		require.Equal(x, held, x.hold(r), "a retry")
		r = request(train, uuid.New(), 1, 2)
		r.BestAlternative = true
		_, err := x.Hold(x.ctx(), r)
		x.requireCode(booking.CodeSeatLocked, err, "one seat is left, and two are wanted")
		require.Equal(x, []int{5}, detailsOf(err).Alternatives)
		r = request(train, uuid.New(), 5)
		r.BestAlternative = true
		require.Equal(x, []int{5}, x.hold(r).Seats)
	}},
	{"HoldIsExtendedOnce", func(x *exercise) {
		train, user := x.create(x.draft(3)), uuid.New()
		hold := x.hold(request(train, user, 1, 2))
		extended, err := x.Extend(x.ctx(), byHold(hold))
		require.NoError(x, err)
		want := hold
		want.ExpiresAt, want.Extended = hold.ExpiresAt.Add(x.ttl), true
		require.Equal(x, want, extended)
		again, err := x.Extend(x.ctx(), byHold(hold))
		require.NoError(x, err)
		require.Equal(x, want, again)
		require.Equal(x, want, x.hold(request(train, user, 1, 2)))
		_, err = x.Hold(x.ctx(), request(train, uuid.New(), 1))
		require.Equal(x, want.ExpiresAt, detailsOf(err).BecomesFreeAt)
		_, err = x.Extend(x.ctx(), booking.HoldRef{User: uuid.New(), Train: train.ID, Hold: hold.ID})
		x.requireCode(booking.CodeSeatNotLocked, err, "of another user")
		_, err = x.Confirm(x.ctx(), byHold(hold))
		require.NoError(x, err)
		_, err = x.Extend(x.ctx(), byHold(hold))
		x.requireCode(booking.CodeSeatNotLocked, err, "it is booked")
	}},
	{"CountTakesTheTightestBlock", func(x *exercise) {
		train := x.create(x.draft(12))
		x.hold(request(train, uuid.New(), 2))
		x.book(request(train, uuid.New(), 4))
		first := x.hold(request(train, uuid.New(), 6))
		count := func(n int) booking.HoldRequest {
			r := request(train, uuid.New())
			r.Count = n
			return r
		}
		require.Equal(x, []int{1, 7, 8, 9, 10, 11, 12}, x.hold(count(7)).Seats, "one block, and one seat more")
		require.Equal(x, []int{3}, x.hold(count(1)).Seats)
		_, err := x.Hold(x.ctx(), count(2))
		x.requireCode(booking.CodeNotEnoughSeats, err)
		require.Equal(x, 1, detailsOf(err).Available)
		require.False(x, detailsOf(err).BecomesFreeAt.After(first.ExpiresAt))
	}},
	{"CountKeepsSeatsThatAreFreeOnTheWholeRoute", func(x *exercise) {
		train := x.create(x.draft(4))
		x.book(x.between(request(train, uuid.New(), 3), "A", "B"))
		r := x.between(request(train, uuid.New()), "B", "C")
		r.Count = 1
		require.Equal(x, []int{3}, x.hold(r).Seats)
		r = x.between(request(train, uuid.New()), "C", "D")
		r.Count = 2
		require.Equal(x, []int{2, 3}, x.hold(r).Seats)
		_, err := x.Hold(x.ctx(), x.between(booking.HoldRequest{Train: train.ID, User: uuid.New(), Count: 5}, "A", "B"))
		x.requireCode(booking.CodeInvalidRequest, err)
		require.Contains(x, detailsOf(err).Fields["count"], "4", "the capacity")
	}},
	{"LimitOfSeatsIsExact", func(x *exercise) {
		train, other, user := x.create(x.draft(20)), x.create(x.draft(20)), uuid.New()
		first := x.hold(request(train, user, 1, 2, 3, 4, 5, 6, 7, 8, 9))
		_, err := x.Hold(x.ctx(), request(train, user, 11, 12))
		x.requireCode(booking.CodeTooManyHolds, err)
		require.Positive(x, detailsOf(err).RetryAfter)
		for _, r := range []booking.HoldRequest{
			request(train, uuid.New(), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
			{Train: train.ID, User: uuid.New(), Count: 11},
		} {
			_, err = x.Hold(x.ctx(), r)
			x.requireCode(booking.CodeInvalidRequest, err, "waiting would not help")
			require.Contains(x, detailsOf(err).Fields, map[bool]string{true: "count", false: "seats"}[r.Count > 0])
		}
		require.LessOrEqual(x, detailsOf(err).RetryAfter, x.ttl)
		x.hold(request(train, user, 11))
		_, err = x.Hold(x.ctx(), request(train, user, 12))
		x.requireCode(booking.CodeTooManyHolds, err)
		x.hold(request(other, user, 1))
		x.hold(request(train, uuid.New(), 12))
		require.Equal(x, first, x.hold(request(train, user, 1, 2, 3, 4, 5, 6, 7, 8, 9)), "a repeated request is not refused")

		_, err = x.Confirm(x.ctx(), byHold(first))
		require.NoError(x, err)
		x.hold(request(train, user, 13, 14, 15, 16, 17, 18, 19, 20, 10))
	}},
	{"TrainThatIsNotOnSaleSellsNothing", func(x *exercise) {
		train := x.create(x.draft(2))
		r := request(train, uuid.New(), 1)
		hold := x.hold(r)
		_, _, err := x.PutTrain(x.ctx(), offSale(train))
		require.NoError(x, err)
		_, err = x.Hold(x.ctx(), request(train, uuid.New(), 2))
		x.requireCode(booking.CodeNotOnSale, err)
		_, err = x.Hold(x.ctx(), r)
		x.requireCode(booking.CodeNotOnSale, err, "the hold that it repeats cannot be confirmed")
		x.requireTally(train, booking.Tally{Held: 1, Available: 1})
		_, err = x.Confirm(x.ctx(), byHold(hold))
		x.requireCode(booking.CodeNotOnSale, err)
		x.requireTally(train, booking.Tally{Available: 2})
		_, _, err = x.PutTrain(x.ctx(), train)
		require.NoError(x, err)
		_, err = x.Confirm(x.ctx(), byHold(hold))
		x.requireCode(booking.CodeSeatNotLocked, err)
		b := x.book(request(train, uuid.New(), 1))
		_, _, err = x.PutTrain(x.ctx(), offSale(train))
		require.NoError(x, err)
		again, err := x.Confirm(x.ctx(), booking.HoldRef{User: b.User, Train: train.ID, Seat: 1})
		require.NoError(x, err, "what is sold stays sold")
		require.Equal(x, b.ID, again.ID)
	}},
	{"TrainSellsNothingBeforeItsSalesBegin", func(x *exercise) {
		opens := time.Now().Add(time.Hour).Truncate(time.Microsecond)
		draft := x.draft(2)
		draft.SalesOpenAt = opens
		train := x.create(draft)
		require.True(x, opens.Equal(train.SalesOpenAt))
		requireClosed := func(err error) {
			x.Helper()
			x.requireCode(booking.CodeNotOnSale, err)
			require.Equal(x, opens.UTC(), detailsOf(err).SalesOpenAt)
		}
		r := request(train, uuid.New(), 1)
		_, err := x.Hold(x.ctx(), r)
		requireClosed(err)
		require.Empty(x, x.searched("A", "D"))
		page, err := x.ListTrains(x.ctx(), booking.TrainQuery{From: x.station("A"), To: x.station("D")})
		require.NoError(x, err)
		require.Equal(x, opens.UTC(), page.Items[0].Train.SalesOpenAt)

		open := train
		open.SalesOpenAt = time.Now().Add(-time.Second).Truncate(time.Microsecond)
		put, _, err := x.PutTrain(x.ctx(), open)
		require.NoError(x, err)
		x.requireSameTrain(open, put)
		hold := x.hold(r)
		require.Equal(x, []booking.TrainID{train.ID}, x.searched("A", "D"))
		_, _, err = x.PutTrain(x.ctx(), train)
		require.NoError(x, err)
		_, err = x.Hold(x.ctx(), r)
		requireClosed(err)
		_, err = x.Confirm(x.ctx(), byHold(hold))
		requireClosed(err)
		x.requireTally(train, booking.Tally{Available: 2})
		open.SalesOpenAt = time.Time{}
		put, _, err = x.PutTrain(x.ctx(), open)
		require.NoError(x, err)
		require.Zero(x, put.SalesOpenAt)
		x.book(request(train, uuid.New(), 1))
		_, _, err = x.PutTrain(x.ctx(), offSale(train))
		require.NoError(x, err)
		_, err = x.Hold(x.ctx(), request(train, uuid.New(), 2))
		x.requireCode(booking.CodeNotOnSale, err)
		require.Zero(x, detailsOf(err).SalesOpenAt, "it is withdrawn")
	}},
	{"DepartedTrainIsSoldFromLaterStops", func(x *exercise) {
		train := x.create(x.departed())
		_, err := x.Hold(x.ctx(), request(train, uuid.New(), 1))
		x.requireCode(booking.CodeDeparted, err)
		_, err = x.Hold(x.ctx(), x.between(request(train, uuid.New(), 1), "A", "B"))
		x.requireCode(booking.CodeDeparted, err)
		x.hold(x.between(request(train, uuid.New(), 1), "B", "C"))
		x.hold(x.between(request(train, uuid.New(), 1), "C", "D"))
	}},
	{"ConfirmBooksEverySeatOfTheHold", func(x *exercise) {
		train, user := x.create(x.draft(3)), uuid.New()
		hold := x.hold(x.between(request(train, user, 3, 1), "B", "D"))
		b, err := x.Confirm(x.ctx(), byHold(hold))
		require.NoError(x, err)
		require.Equal(x, booking.BookingIDOf(user, hold.ID), b.ID)
		require.Equal(x, train.ID, b.Train)
		require.Equal(x, user, b.User)
		require.Equal(x, booking.Segment(1, 3), b.Legs)
		require.Equal(x, []int{1, 3}, b.Seats)
		require.WithinDuration(x, time.Now(), b.BookedAt, time.Minute)
		require.Zero(x, b.CancelledAt)
		require.Equal(x, "bab", x.seats(train, "A", "D"))
		require.Equal(x, "aaa", x.seats(train, "A", "B"))
		x.requireTally(train, booking.Tally{Booked: 2, Available: 1})
	}},
	{"RepeatedConfirmReturnsTheSameBooking", func(x *exercise) {
		train, user := x.create(x.draft(3)), uuid.New()
		hold := x.hold(request(train, user, 1, 2))
		both := byHold(hold)
		both.Seat = 2
		first, err := x.Confirm(x.ctx(), bySeat(train, user, 1))
		require.NoError(x, err)
		for _, ref := range []booking.HoldRef{byHold(hold), both, bySeat(train, user, 2)} {
			again, err := x.Confirm(x.ctx(), ref)
			require.NoError(x, err)
			require.Equal(x, first, again)
			x.requireCode(booking.CodeSeatNotLocked, x.Release(x.ctx(), ref), "it is booked")
		}
		_, err = x.Hold(x.ctx(), request(train, user, 1, 2))
		x.requireCode(booking.CodeSeatBooked, err, "even for the same user")
	}},
	{"ReleaseFreesAllSeatsAtOnce", func(x *exercise) {
		train, user := x.create(x.draft(3)), uuid.New()
		for _, ref := range []func(booking.Hold) booking.HoldRef{
			byHold,
			func(booking.Hold) booking.HoldRef { return bySeat(train, user, 2) },
		} {
			hold := x.hold(request(train, user, 1, 2))
			require.NoError(x, x.Release(x.ctx(), ref(hold)))
			x.requireTally(train, booking.Tally{Available: 3})
			x.requireCode(booking.CodeSeatNotLocked, x.Release(x.ctx(), ref(hold)))
			_, err := x.Confirm(x.ctx(), ref(hold))
			x.requireCode(booking.CodeSeatNotLocked, err)
			require.NotEqual(x, hold.ID, x.hold(request(train, user, 1, 2)).ID)
			require.NoError(x, x.Release(x.ctx(), bySeat(train, user, 1)))
		}
	}},
	{"HoldIsUsedOnlyByItsUser", func(x *exercise) {
		train, owner, thief := x.create(x.draft(3)), uuid.New(), uuid.New()
		hold := x.hold(request(train, owner, 1, 2))
		stolen := byHold(hold)
		stolen.User = thief
		otherSeat := byHold(hold)
		otherSeat.Seat = 3
		aboveCapacity := byHold(hold)
		aboveCapacity.Seat = 4
		for name, c := range map[string]struct {
			ref  booking.HoldRef
			code booking.Code
		}{
			"another's hold":          {stolen, booking.CodeSeatNotLocked},
			"another's seat":          {bySeat(train, thief, 1), booking.CodeSeatNotLocked},
			"a seat nobody holds":     {bySeat(train, owner, 3), booking.CodeSeatNotLocked},
			"a seat not of the hold":  {otherSeat, booking.CodeSeatNotLocked},
			"a seat not of the train": {aboveCapacity, booking.CodeNotFound},
			"no such hold": {
				booking.HoldRef{User: owner, Train: train.ID, Hold: booking.NewHoldID(train.ID)},
				booking.CodeSeatNotLocked,
			},
		} {
			_, err := x.Confirm(x.ctx(), c.ref)
			x.requireCode(c.code, err, "confirm %s", name)
			x.requireCode(c.code, x.Release(x.ctx(), c.ref), "release %s", name)
		}
		require.Equal(x, "hha", x.seats(train, "A", "D"))
	}},
}
