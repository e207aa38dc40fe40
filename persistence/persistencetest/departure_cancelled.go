package persistencetest

import (
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

func departureCancelled(x *exercise) {
	schedule, ctx := x.createSchedule(), x.Context()
	want := []booking.Date{}
	for _, date := range []booking.Date{firstDay + 7, firstDay + 1, lastDay, firstDay + 3} {
		guard := x.cancelDate(schedule, date)
		want = append(want, date)
		got := x.schedule(schedule.ID)
		require.ElementsMatch(x, want, got.Cancelled)
		require.IsIncreasing(x, append([]booking.Date{0}, got.Cancelled...))
		require.Equal(x, x.revision(), got.Revision)
		require.Equal(x, schedule.Defined, got.Defined)
		require.Equal(x, schedule.Schedule, got.Schedule)
		changes := x.changes(got.Revision - 1)
		require.Len(x, changes, 1)
		require.Equal(x, guard.Train, changes[0].ID)
		require.Equal(x, got.Revision, changes[0].Revision, "one revision for both")
		require.True(x, changes[0].Deleted)
		require.Equal(x, schedule.Defined, changes[0].Follows)
	}
	again := adoptionOf(x.schedule(schedule.ID), lastDay)
	again.Epoch = 2
	require.NoError(x, x.adoptAll(again)[0], "that is for the caller to decide")
	require.NoError(x, x.DeleteTrain(ctx, again.Guard, persistence.Deletion{At: start, Cancels: true}))
	got := x.schedule(schedule.ID)
	require.ElementsMatch(x, want, got.Cancelled, "once")
	require.Equal(x, x.revision(), got.Revision)

	change := renamed(got.Schedule, "Changed")
	require.NoError(x, x.ChangeSchedule(ctx, got.Revision, change))
	require.Equal(x, got.Cancelled, x.schedule(schedule.ID).Cancelled, "a change keeps them")
}

func othersNotCancelled(x *exercise) {
	schedule, ctx := x.createSchedule(), x.Context()
	remove := func(guard persistence.Guard, cancels bool, want error) {
		x.Helper()
		deletion := persistence.Deletion{At: start, Cancels: cancels}
		require.ErrorIs(x, x.DeleteTrain(ctx, guard, deletion), want)
		require.Equal(x, schedule, x.schedule(schedule.ID))
	}
	remove(x.depart(schedule, firstDay), false, nil)
	remove(x.createAdopted(), true, nil)
	fenced := x.depart(schedule, firstDay+1)
	x.adopt(fenced.Train)
	remove(fenced, true, persistence.ErrFenced)
	booked := x.depart(schedule, firstDay+2)
	x.sell(booked, booking.Segment(0, 1), 1)
	remove(booked, true, persistence.ErrConflict)
	remove(persistence.Guard{Train: schedule.ID.Departure(lastDay)}, true, persistence.ErrNotFound)
	late := x.depart(schedule, firstDay+3)
	require.NoError(x, x.DeleteSchedule(ctx, schedule.Revision, schedule.ID, persistence.ScheduleDeletion{At: start, Mode: booking.CancelBooked}))
	schedule = x.schedule(schedule.ID)
	remove(late, true, nil)
	require.Empty(x, schedule.Cancelled)
}

func departureRunsAgain(x *exercise) {
	schedule, ctx := x.createSchedule(), x.Context()
	for i := range booking.Date(3) {
		x.cancelDate(schedule, firstDay+i)
	}
	require.NoError(x, x.ChangeSchedule(ctx, x.schedule(schedule.ID).Revision, renamed(schedule.Schedule, "Changed")))
	schedule = x.schedule(schedule.ID)
	before := schedule
	train := schedule.Train(firstDay + 1)
	train.Name, train.Follows = "Again", schedule.Defined
	require.NoError(x, x.CreateTrain(ctx, train))
	got := x.schedule(schedule.ID)
	require.Equal(x, []booking.Date{firstDay, firstDay + 2}, got.Cancelled)
	require.Equal(x, x.revision(), got.Revision)
	require.Equal(x, before.Defined, got.Defined)
	changes := x.changes(before.Revision)
	require.Len(x, changes, 1)
	require.Equal(x, got.Revision, changes[0].Revision)
	x.requireSameTrain(train, changes[0].Train)
	require.Equal(x, int64(2), x.adopt(train.ID).Epoch)

	train.ID = schedule.ID.Departure(lastDay) // which was not cancelled
	require.NoError(x, x.CreateTrain(ctx, train))
	require.Equal(x, got, x.schedule(schedule.ID))
}

func createdFollows(x *exercise) {
	schedule, ctx := x.createSchedule(), x.Context()
	train := schedule.Train(firstDay)
	requireStale := func(follows ...int64) {
		x.Helper()
		for _, train.Follows = range follows {
			before := x.revision()
			require.ErrorIs(x, x.CreateTrain(ctx, train), persistence.ErrStale)
			require.Equal(x, before, x.revision())
		}
	}
	requireStale(0, schedule.Defined-1, schedule.Defined+1)
	require.NoError(x, x.ChangeSchedule(ctx, schedule.Revision, renamed(schedule.Schedule, "Changed")))
	requireStale(0, schedule.Defined)
	schedule = x.schedule(schedule.ID)
	x.cancelDate(schedule, firstDay+1)
	train.Follows = schedule.Defined
	require.NoError(x, x.CreateTrain(ctx, train))
	for _, train.Follows = range []int64{0, schedule.Defined} {
		require.ErrorIs(x, x.CreateTrain(ctx, train), persistence.ErrExists)
	}
	require.NoError(x, x.DeleteSchedule(ctx, x.schedule(schedule.ID).Revision, schedule.ID, persistence.ScheduleDeletion{At: start}))
	train.ID = schedule.ID.Departure(firstDay + 1)
	requireStale(schedule.Defined, x.schedule(schedule.ID).Defined)
	train.Follows = 0
	require.NoError(x, x.CreateTrain(ctx, train), "there is no schedule")
	train = newTrain()
	requireStale(schedule.Defined)
}
