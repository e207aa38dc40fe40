package bookingtest

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

var trainFacts = []fact{
	{"CreatedTrainIsFound", func(x *exercise) {
		draft := x.draft(3)
		draft.Name = "  Ra\u0308ksi Express " // trimmed, NFC
		draft.Stops[0].DepartsAt = time.Date(2040, 5, 1, 6, 0, 0, 0, time.FixedZone("", 19800))
		created := x.create(draft)
		require.Equal(x, "R\u00e4ksi Express", created.Name)
		require.WithinDuration(x, time.Now(), created.CreatedAt, time.Minute)
		require.Equal(x, created.CreatedAt, created.UpdatedAt)
		found, err := x.FindTrain(x.ctx(), draft.ID)
		require.NoError(x, err)
		x.requireSameTrain(created, *found.Train)
		require.Equal(x, created.CreatedAt, found.Train.CreatedAt)
		_, offset := found.Train.Stops[0].DepartsAt.Zone()
		require.Equal(x, 19800, offset, "a time keeps its UTC offset")
		require.Equal(x, booking.Segment(0, 3), found.Segment)
		require.Equal(x, booking.Tally{Available: 3}, found.Tally)
	}},
	{"TrainWithoutAnIDGetsOne", func(x *exercise) {
		draft := x.draft(1)
		draft.ID = booking.TrainID{}
		created := x.create(draft)
		require.True(x, created.ID.Valid())
		x.requireTally(created, booking.Tally{Available: 1})
	}},
	{"TrainIsNotCreatedTwice", func(x *exercise) {
		train := x.create(x.draft(1))
		_, err := x.CreateTrain(x.ctx(), x.draftOf(train, 5))
		x.requireCode(booking.CodeAlreadyExists, err)
		x.requireTally(train, booking.Tally{Available: 1})
	}},
	{"EveryInvalidFieldIsReported", func(x *exercise) {
		bad := x.draft(0)
		bad.Name = " "
		bad.Stops[3].Station = bad.Stops[0].Station
		_, err := x.CreateTrain(x.ctx(), bad)
		x.requireFields(err, "capacity", "name", "stops[3].station")
		_, _, err = x.PutTrain(x.ctx(), bad)
		x.requireFields(err, "capacity", "name", "stops[3].station")
	}},
	{"NameThatCannotBeSeenIsRefused", func(x *exercise) {
		bad := x.draft(1)
		bad.Name, bad.Stops[1].Station = "\u3164", x.station("Agra\u034f")
		_, err := x.CreateTrain(x.ctx(), bad)
		x.requireFields(err, "name", "stops[1].station")
		_, _, err = x.PutTrain(x.ctx(), bad)
		x.requireFields(err, "name", "stops[1].station")
		train := x.create(x.draft(1))
		bad.ID = train.ID
		_, _, err = x.PutTrain(x.ctx(), bad)
		x.requireFields(err, "name", "stops[1].station")
		found, err := x.FindTrain(x.ctx(), train.ID)
		require.NoError(x, err)
		x.requireSameTrain(train, *found.Train)
	}},
	{"SeatIDIsNoTrainID", func(x *exercise) {
		bad := x.draft(1)
		bad.ID[15] = 1
		_, _, err := x.PutTrain(x.ctx(), bad)
		x.requireFields(err, "id")
		_, err = x.FindTrain(x.ctx(), bad.ID)
		x.requireCode(booking.CodeNotFound, err)
	}},
	{"PutIsIdempotent", func(x *exercise) {
		draft := x.draft(2)
		first, created, err := x.PutTrain(x.ctx(), draft)
		require.NoError(x, err)
		require.True(x, created)
		again, created, err := x.PutTrain(x.ctx(), draft)
		require.NoError(x, err)
		require.False(x, created)
		require.Equal(x, first.UpdatedAt, again.UpdatedAt)
		x.requireSameTrain(first, again)
	}},
	{"PutChangesAnExistingTrain", func(x *exercise) {
		train := x.create(x.draft(2))
		to := x.draftOf(train, 4)
		to.Name, to.OnSale = "Renamed", false
		put, created, err := x.PutTrain(x.ctx(), to)
		require.NoError(x, err)
		require.False(x, created)
		x.requireSameTrain(to, put)
		require.Equal(x, train.CreatedAt, put.CreatedAt)
		require.False(x, put.UpdatedAt.Before(train.UpdatedAt))
		x.requireTally(train, booking.Tally{Available: 4})
	}},
	{"PutChangesTheOffsetOfATime", func(x *exercise) {
		draft := x.draft(2)
		draft.Stops[0].DepartsAt = time.Date(2040, 12, 1, 6, 0, 0, 0, time.FixedZone("", 5*3600+1800))
		train := x.create(draft)
		x.hold(request(train, uuid.New(), 1)) // seats that are taken do not prevent it
		to := x.draftOf(train, 2)
		to.Stops = slices.Clone(to.Stops)
		to.Stops[0].DepartsAt = to.Stops[0].DepartsAt.UTC()
		_, _, err := x.PutTrain(x.ctx(), to)
		require.NoError(x, err)
		found, err := x.FindTrain(x.ctx(), train.ID)
		require.NoError(x, err)
		require.True(x, found.Train.Same(&to), "%v", found.Train.Stops)
	}},
	{"CapacityDoesNotShrinkBelowTakenSeats", func(x *exercise) {
		train := x.create(x.draft(5))
		x.hold(x.between(request(train, uuid.New(), 3), "B", "C"))
		x.book(x.between(request(train, uuid.New(), 5), "A", "B"))
		_, _, err := x.PutTrain(x.ctx(), x.draftOf(train, 2))
		x.requireCode(booking.CodeCapacityInUse, err)
		require.Equal(x, []int{3, 5}, detailsOf(err).Seats)
		x.requireTally(train, booking.Tally{Held: 1, Booked: 1, Available: 3})
		_, _, err = x.PutTrain(x.ctx(), x.draftOf(train, 9))
		require.NoError(x, err)
		x.requireTally(train, booking.Tally{Held: 1, Booked: 1, Available: 7})
	}},
	{"StopsDoNotChangeWhileSeatsAreTaken", func(x *exercise) {
		train := x.create(x.draft(2))
		to := x.draftOf(train, 2)
		to.Stops = slices.Delete(slices.Clone(to.Stops), 1, 2)
		hold := x.hold(request(train, uuid.New(), 1))
		_, _, err := x.PutTrain(x.ctx(), to)
		x.requireCode(booking.CodeHasBookings, err)
		require.NoError(x, x.Release(x.ctx(), byHold(hold)))
		put, _, err := x.PutTrain(x.ctx(), to)
		require.NoError(x, err)
		x.requireSameTrain(to, put)
		require.Equal(x, "aa", x.seats(train, "A", "C"))
		_, err = x.SeatMap(x.ctx(), train.ID, x.station("A"), x.station("B"))
		x.requireCode(booking.CodeNotFound, err)
	}},
	{"DeletedTrainIsNotFound", func(x *exercise) {
		train := x.create(x.draft(2))
		user := uuid.New()
		hold := x.hold(request(train, user, 1))
		require.NoError(x, x.DeleteTrain(x.ctx(), train.ID, false), "holds do not prevent it")
		x.requireNotFound(train, hold)
		x.requireCode(booking.CodeNotFound, x.DeleteTrain(x.ctx(), train.ID, false))
	}},
	{"BookedTrainIsDeletedOnlyWithForce", func(x *exercise) {
		train := x.create(x.draft(2))
		user := uuid.New()
		hold := x.hold(request(train, uuid.New(), 2))
		x.book(x.between(request(train, user, 1), "A", "B"))
		x.requireCode(booking.CodeHasBookings, x.DeleteTrain(x.ctx(), train.ID, false))
		x.requireTally(train, booking.Tally{Booked: 1, Held: 1})
		require.NoError(x, x.DeleteTrain(x.ctx(), train.ID, true))
		x.requireNotFound(train, hold)
		mine, err := x.UserBookings(x.ctx(), user, booking.PageRequest{})
		require.NoError(x, err)
		require.Empty(x, mine.Items, "force cancels the bookings")
	}},
	{"DeletedTrainCanBePutAgain", func(x *exercise) {
		train := x.create(x.draft(2))
		user := uuid.New()
		hold := x.hold(request(train, user, 1))
		old := x.book(request(train, user, 2))
		require.NoError(x, x.DeleteTrain(x.ctx(), train.ID, true))
		_, created, err := x.PutTrain(x.ctx(), x.draftOf(train, 3))
		require.NoError(x, err)
		require.True(x, created)
		x.requireTally(train, booking.Tally{Available: 3})
		_, err = x.Confirm(x.ctx(), byHold(hold))
		x.requireCode(booking.CodeSeatNotLocked, err, "a deleted hold is not restored")
		require.NoError(x, x.CancelBooking(x.ctx(), user, old.ID), "cancelled already")
		x.book(request(train, user, 1, 2, 3))
		x.requireTally(train, booking.Tally{Booked: 3})
	}},
	{"UnknownTrainIsNotFound", func(x *exercise) {
		unknown := x.draft(1)
		x.requireNotFound(unknown, booking.Hold{ID: booking.NewHoldID(unknown.ID), User: uuid.New()})
		_, err := x.TrainBookings(x.ctx(), unknown.ID, booking.PageRequest{})
		x.requireCode(booking.CodeNotFound, err)
		x.requireCode(booking.CodeNotFound, x.DeleteTrain(x.ctx(), unknown.ID, true))
	}},
}

// draftOf returns the train with another capacity.
func (x *exercise) draftOf(train booking.Train, capacity int) booking.Train {
	train.Capacity = capacity
	return train
}

// requireFields checks that an error reports exactly these fields.
func (x *exercise) requireFields(err error, fields ...string) {
	x.Helper()
	var named []string
	x.requireCode(booking.CodeInvalidRequest, err)
	for field, problem := range detailsOf(err).Fields {
		named = append(named, field)
		require.NotEmpty(x, problem)
	}
	require.ElementsMatch(x, fields, named)
}

// requireNotFound checks that no method finds the train.
func (x *exercise) requireNotFound(train booking.Train, hold booking.Hold) {
	x.Helper()
	_, err := x.FindTrain(x.ctx(), train.ID)
	x.requireCode(booking.CodeNotFound, err)
	_, err = x.SeatMap(x.ctx(), train.ID, "", "")
	x.requireCode(booking.CodeNotFound, err)
	_, err = x.Hold(x.ctx(), request(train, uuid.New(), 1))
	x.requireCode(booking.CodeNotFound, err)
	_, err = x.Confirm(x.ctx(), byHold(hold))
	x.requireCode(booking.CodeNotFound, err)
	x.requireCode(booking.CodeNotFound, x.Release(x.ctx(), byHold(hold)))
	require.Empty(x, x.searched("A", "D"))
	page, err := x.ListTrains(x.ctx(), booking.TrainQuery{From: x.station("A"), To: x.station("D")})
	require.NoError(x, err)
	require.Empty(x, page.Items)
}
