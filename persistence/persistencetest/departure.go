package persistencetest

import (
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

var departureFacts = []fact[*exercise]{
	{"DepartureIsCreatedWhenItIsAdopted", departureCreated},
	{"DepartureOfAStoredTrainIsIgnored", departureIgnored},
	{"DepartureNeedsItsScheduleAsItWasRead", departureStale},
	{"DepartureFollowsTheEpochOfADeletedOne", departureRestored},
	{"DepartureIsAdoptedOnceInABatch", departureTwice},
	{"ManyDeparturesAreAdoptedIndependently", manyDepartures},
	{"DeletedDepartureIsCancelled", departureCancelled},
	{"OnlyADepartureIsCancelled", othersNotCancelled},
	{"CreatedDepartureRunsAgain", departureRunsAgain},
	{"CreatedTrainFollowsTheScheduleAsItIs", createdFollows},
	{"FollowedRevisionIsStored", followsStored},
}

// adoptionOf returns the first adoption of a departure of a schedule.
func adoptionOf(schedule persistence.StoredSchedule, date booking.Date) persistence.Adoption {
	train := schedule.Train(date)
	train.Follows = schedule.Defined
	return persistence.Adoption{
		Guard:     persistence.Guard{Train: train.ID, Epoch: 1, Owner: uuid.New()},
		Departure: &persistence.Departure{Train: train, Revision: schedule.Revision, Restored: start.Add(time.Hour)},
	}
}

// adoptAll returns the results of adoptions.
func (x *exercise) adoptAll(adoptions ...persistence.Adoption) []error {
	x.Helper()
	results, err := x.Adopt(x.Context(), adoptions)
	require.NoError(x, err)
	require.Len(x, results, len(adoptions))
	return results
}

// depart creates a departure by its adoption.
func (x *exercise) depart(schedule persistence.StoredSchedule, date booking.Date) persistence.Guard {
	x.Helper()
	adoption := adoptionOf(schedule, date)
	require.NoError(x, x.adoptAll(adoption)[0])
	return adoption.Guard
}

// cancelDate creates a departure, and deletes it by itself.
func (x *exercise) cancelDate(schedule persistence.StoredSchedule, date booking.Date) persistence.Guard {
	x.Helper()
	guard := x.depart(x.schedule(schedule.ID), date)
	require.NoError(x, x.DeleteTrain(x.Context(), guard, persistence.Deletion{At: start, Cancels: true}))
	return guard
}

func departureCreated(x *exercise) {
	schedule, ctx := x.createSchedule(), x.Context()
	adoption := adoptionOf(schedule, firstDay)
	id := adoption.Train
	epoch, err := Epoch(ctx, x, id)
	require.ErrorIs(x, err, persistence.ErrNotFound)
	require.Zero(x, epoch)
	without := adoption
	without.Departure = nil
	require.ErrorIs(x, x.adoptAll(without)[0], persistence.ErrNotFound)
	require.Equal(x, schedule.Revision, x.revision())
	require.NoError(x, x.adoptAll(adoption)[0])

	want := adoption.Departure.Train
	loaded := x.load(id)
	x.requireSameTrain(want, loaded.Train)
	require.Equal(x, schedule.Revision+1, x.revision())
	changes := x.changes(schedule.Revision)
	require.Len(x, changes, 1)
	require.Equal(x, x.revision(), changes[0].Revision)
	x.requireSameTrain(want, changes[0].Train)
	listed, err := x.ListTrains(ctx, booking.Cursor{At: want.RetiresAt().Add(-time.Microsecond)}, persistence.LastPosition)
	require.NoError(x, err)
	require.Equal(x, []booking.TrainID{id}, idsOf(listed))
	epoch, err = Epoch(ctx, x, id)
	require.NoError(x, err)
	require.Equal(x, int64(1), epoch)
	require.Equal(x, schedule, x.schedule(schedule.ID), "its departures do not change it")

	x.sell(adoption.Guard, booking.Segment(0, 2), 1, 2)
	next := x.adopt(id)
	require.Equal(x, int64(2), next.Epoch)
	require.ErrorIs(x, x.book(saleOf(adoption.Guard, booking.Segment(0, 1), 3))[0], persistence.ErrFenced)
	x.sell(next, booking.Segment(0, 1), 3)
}

// departureIgnored adopts departures that have a row, one by an adoption and one that was created.
func departureIgnored(x *exercise) {
	schedule, ctx := x.createSchedule(), x.Context()
	guard := x.depart(schedule, firstDay)
	own := newTrain()
	own.ID, own.Follows = schedule.ID.Departure(firstDay+1), schedule.Defined
	require.NoError(x, x.CreateTrain(ctx, own))
	before := []booking.Train{x.load(guard.Train).Train, own}
	require.NoError(x, x.ChangeSchedule(ctx, schedule.Revision, renamed(schedule.Schedule, "Changed")))
	last := x.revision()
	for i, train := range before {
		again := adoptionOf(schedule, firstDay+booking.Date(i)) // its revision is stale
		again.Epoch = int64(1 - i)
		require.ErrorIs(x, x.adoptAll(again)[0], persistence.ErrFenced)
		again.Epoch++
		require.NoError(x, x.adoptAll(again)[0])
		x.requireSameTrain(train, x.load(train.ID).Train)
		require.NoError(x, x.book(saleOf(again.Guard, booking.Segment(0, 1), 1))[0])
	}
	require.Equal(x, last, x.revision(), "nothing has changed")
}

func departureStale(x *exercise) {
	first, ctx := x.createSchedule(), x.Context()
	id := first.ID
	requireStale := func(adoption persistence.Adoption) {
		x.Helper()
		before := x.revision()
		require.ErrorIs(x, x.adoptAll(adoption)[0], persistence.ErrStale)
		require.Equal(x, before, x.revision())
		found, err := x.FindTrains(ctx, []booking.TrainID{adoption.Train})
		require.NoError(x, err)
		require.Empty(x, found)
	}
	future := adoptionOf(first, firstDay)
	future.Departure.Revision++
	requireStale(future)
	require.NoError(x, x.ChangeSchedule(ctx, first.Revision, renamed(first.Schedule, "Second")))
	requireStale(adoptionOf(first, firstDay))
	second := x.schedule(id)
	x.cancelDate(second, firstDay+1)
	requireStale(adoptionOf(second, firstDay))
	third := x.schedule(id)
	require.NoError(x, x.DeleteSchedule(ctx, third.Revision, id, persistence.ScheduleDeletion{At: start}))
	requireStale(adoptionOf(third, firstDay))
	deleted := x.schedule(id)
	requireStale(adoptionOf(deleted, firstDay))
	require.NoError(x, x.CreateSchedule(ctx, first.Schedule))
	requireStale(adoptionOf(deleted, firstDay))
	x.depart(x.schedule(id), firstDay)

	unknown := x.createSchedule()
	unknown.ID = booking.NewScheduleID()
	requireStale(adoptionOf(unknown, firstDay))
	dateless := adoptionOf(unknown, firstDay)
	dateless.Train = booking.TrainID(unknown.ID)
	dateless.Departure.Train.ID = dateless.Train
	requireStale(dateless)
}

func departureRestored(x *exercise) {
	schedule, ctx := x.createSchedule(), x.Context()
	guard := x.depart(schedule, firstDay)
	guard = x.adopt(guard.Train)
	x.sell(guard, booking.Segment(0, 1), 1)
	require.NoError(x, x.DeleteTrain(ctx, guard, persistence.Deletion{At: start, Force: true}))
	epoch, err := Epoch(ctx, x, guard.Train)
	require.ErrorIs(x, err, persistence.ErrNotFound)
	require.Equal(x, guard.Epoch, epoch)

	require.NoError(x, x.ChangeSchedule(ctx, schedule.Revision, renamed(schedule.Schedule, "Changed")))
	schedule = x.schedule(schedule.ID)
	again := adoptionOf(schedule, firstDay)
	for _, other := range []int64{0, 1, 2, 4} {
		again.Epoch = other
		before := x.revision()
		require.ErrorIs(x, x.adoptAll(again)[0], persistence.ErrFenced)
		require.Equal(x, before, x.revision())
	}
	again.Epoch = epoch + 1
	without := again
	without.Departure = nil
	require.ErrorIs(x, x.adoptAll(without)[0], persistence.ErrNotFound)
	require.NoError(x, x.adoptAll(again)[0])
	want := again.Departure.Train
	want.CreatedAt = again.Departure.Restored
	loaded := x.load(guard.Train)
	x.requireSameTrain(want, loaded.Train)
	require.Empty(x, loaded.Bookings)
	require.Empty(x, loaded.Seats)
	require.ErrorIs(x, x.book(saleOf(guard, booking.Segment(0, 1), 1))[0], persistence.ErrFenced)
	x.sell(again.Guard, booking.Segment(0, 1), 1)
	epoch, err = Epoch(ctx, x, guard.Train)
	require.NoError(x, err)
	require.Equal(x, again.Epoch, epoch)

	first := adoptionOf(schedule, firstDay+1)
	for _, other := range []int64{0, 2} {
		first.Epoch = other
		require.ErrorIs(x, x.adoptAll(first)[0], persistence.ErrFenced, "it has had no epoch")
	}
}

func departureTwice(x *exercise) {
	schedule := x.createSchedule()
	first, second, other := adoptionOf(schedule, firstDay), adoptionOf(schedule, firstDay), adoptionOf(schedule, firstDay+1)
	without := adoptionOf(schedule, firstDay)
	without.Departure = nil
	results := x.adoptAll(first, other, second)
	require.NoError(x, results[0])
	require.NoError(x, results[1])
	require.ErrorIs(x, results[2], persistence.ErrFenced)
	require.ErrorIs(x, x.adoptAll(without)[0], persistence.ErrFenced)
	x.sell(first.Guard, booking.Segment(0, 1), 1)
	require.ErrorIs(x, x.book(saleOf(second.Guard, booking.Segment(0, 1), 2))[0], persistence.ErrFenced)
	require.Len(x, x.changes(0), 2)
	require.Equal(x, schedule.Revision+2, x.revision())
}

// manyDepartures adopts trains and departures, some of which are refused.
func manyDepartures(x *exercise) {
	ctx := x.Context()
	schedules := []persistence.StoredSchedule{x.createSchedule(), x.createSchedule()}
	stale := schedules[1]
	x.cancelDate(stale, lastDay)
	schedules[1] = x.schedule(stale.ID)
	adoptions, want := []persistence.Adoption{}, []error{}
	add := func(result error, adoption persistence.Adoption) {
		adoptions, want = append(adoptions, adoption), append(want, result)
	}
	for i := range booking.Date(6) {
		date := firstDay + 3*i
		add(nil, adoptionOf(schedules[i%2], date))
		add(persistence.ErrStale, adoptionOf(stale, date+1))
		add(nil, persistence.Adoption{Guard: persistence.Guard{Train: x.createTrain().ID, Epoch: 1, Owner: uuid.New()}})
		x.depart(schedules[0], date+1)
		present := adoptionOf(schedules[0], date+1)
		present.Epoch, present.Departure.Revision = 2, stale.Revision
		add(nil, present)
		add(persistence.ErrFenced, adoptionOf(schedules[0], date+1))
		guard := x.depart(schedules[0], date+2)
		require.NoError(x, x.DeleteTrain(ctx, guard, persistence.Deletion{At: start}))
		own := x.createAdopted()
		require.NoError(x, x.DeleteTrain(ctx, own, persistence.Deletion{At: start}))
		own.Epoch++
		add(persistence.ErrNotFound, persistence.Adoption{Guard: own})
		restored := adoptionOf(schedules[0], date+2)
		restored.Epoch = 2
		add(nil, restored)
	}
	before, created := x.revision(), 0
	results := x.adoptAll(adoptions...)
	for i, a := range adoptions {
		require.ErrorIs(x, results[i], want[i], "adoption %d", i)
		sold := x.book(saleOf(a.Guard, booking.Segment(0, 1), i%10+1))
		require.Equal(x, want[i] == nil, sold[0] == nil, "adoption %d", i)
		if want[i] == nil && a.Departure != nil && a.Departure.Revision != stale.Revision {
			created++
		}
	}
	changes := x.changes(before)
	require.Len(x, changes, created)
	require.Equal(x, before+int64(created), x.revision())
	require.Equal(x, x.revision(), changes[created-1].Revision)
}

// followsStored reads the followed revision wherever a train is read.
func followsStored(x *exercise) {
	schedule, ctx := x.createSchedule(), x.Context()
	guard := x.depart(schedule, firstDay)
	train := x.load(guard.Train).Train
	cancelled := x.cancel(guard, x.sell(guard, booking.Segment(0, 1), 1), start, booking.ByPassenger)
	live := x.sell(guard, booking.Segment(0, 1), 2)
	former := train
	train.Follows, train.Name = 77, "Changed"
	require.NoError(x, x.ChangeTrain(ctx, guard, train))
	x.requireSameTrain(train, x.load(train.ID).Train)
	found, err := x.FindTrains(ctx, []booking.TrainID{train.ID})
	require.NoError(x, err)
	x.requireSameTrain(train, found[0])
	listed, err := x.ListTrains(ctx, booking.Cursor{}, persistence.LastPosition)
	require.NoError(x, err)
	x.requireSameTrain(train, listed[0])
	for id, want := range map[uuid.UUID]booking.Train{cancelled.ID: former, live.ID: train} {
		booked, err := x.FindBookedTrain(ctx, id)
		require.NoError(x, err)
		x.requireSameTrain(want, *booked.On)
	}
	require.NoError(x, x.DeleteTrain(ctx, guard, persistence.Deletion{At: start, Force: true}))
	changes := x.changes(0)
	require.Equal(x, train.Follows, changes[len(changes)-1].Follows)
}
