package persistence_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
)

// dayOne is the first date of the schedules.
const dayOne booking.Date = 20_000

func (s *source) addSchedule() persistence.StoredSchedule {
	s.t.Helper()
	schedule := booking.Schedule{
		ID: booking.NewScheduleID(), Name: "Nachtzug", Capacity: 10, OnSale: true, TimeZone: "Europe/Berlin",
		Calendar: booking.Calendar{
			Days: booking.EveryDay, From: dayOne, Until: dayOne + 1000, Exceptions: []booking.Exception{{Date: dayOne + 7}},
		},
		Stops: []booking.StopTime{
			{Station: "Berlin", Departs: booking.LocalTimeOf(22 * time.Hour)},
			{Station: "Wien", Arrives: booking.LocalTimeOf(30 * time.Hour)},
		},
		CreatedAt: micro(), UpdatedAt: micro(),
	}
	require.NoError(s.t, s.CreateSchedule(s.t.Context(), schedule))
	return s.schedule(schedule.ID)
}

func (s *source) schedule(id booking.ScheduleID) persistence.StoredSchedule {
	s.t.Helper()
	found, err := s.FindSchedule(s.t.Context(), id)
	require.NoError(s.t, err)
	return found
}

// depart creates a departure.
func depart(t *testing.T, store persistence.Store, schedule persistence.StoredSchedule, date booking.Date) persistence.Guard {
	t.Helper()
	train := schedule.Train(date)
	train.Follows = schedule.Defined
	guard := persistence.Guard{Train: train.ID, Epoch: 1, Owner: uuid.New()}
	results, err := store.Adopt(t.Context(), []persistence.Adoption{
		{Guard: guard, Departure: &persistence.Departure{Train: train, Revision: schedule.Revision}},
	})
	require.NoError(t, errors.Join(append(results, err)...))
	return guard
}

// change changes a schedule and returns it as it is then.
func (s *source) change(schedule persistence.StoredSchedule) persistence.StoredSchedule {
	s.t.Helper()
	schedule.Capacity++
	require.NoError(s.t, s.ChangeSchedule(s.t.Context(), schedule.Revision, schedule.Schedule))
	return s.schedule(schedule.ID)
}

func TestSchedulesAreCopiedWithTheirPast(t *testing.T) {
	t.Parallel()
	from, to, ctx := openSource(t), newTarget(t), t.Context()
	first := from.addSchedule()
	departure := depart(t, from, first, dayOne)
	from.book(departure, 1)
	changed := from.change(first)
	cancelled := depart(t, from, changed, dayOne+1)
	require.NoError(t, from.DeleteTrain(ctx, cancelled, persistence.Deletion{At: micro(), Cancels: true}))
	gone := from.addSchedule()
	deletion := persistence.ScheduleDeletion{At: micro(), Mode: booking.RetainBooked}
	require.NoError(t, from.DeleteSchedule(ctx, gone.Revision, gone.ID, deletion))
	restored := from.addSchedule()
	require.NoError(t, from.DeleteSchedule(ctx, restored.Revision, restored.ID, deletion))
	require.NoError(t, from.CreateSchedule(ctx, restored.Schedule))

	counts := from.copyTo(to)
	require.Equal(t, []int64{3, 4}, []int64{counts[persistence.TableSchedules], counts[persistence.TableFormerSchedules]})
	for _, id := range []booking.ScheduleID{first.ID, gone.ID, restored.ID} {
		want := from.schedule(id)
		got, err := to.FindSchedule(ctx, id)
		require.NoError(t, err)
		require.Greater(t, got.Revision, got.Defined)
		want.Revision = got.Revision
		require.Equal(t, want, got)
		for defined := range want.Defined + 1 {
			want, missing := from.FormerSchedule(ctx, id, defined)
			got, err := to.FormerSchedule(ctx, id, defined)
			require.Equal(t, missing == nil, err == nil)
			require.Equal(t, want, got)
		}
	}
	copied, err := persistencetest.LoadTrain(ctx, to, departure.Train, nil)
	require.NoError(t, err)
	require.Equal(t, first.Defined, copied.Train.Follows)

	before, err := to.Revision(ctx)
	require.NoError(t, err)
	from.copyTo(to)
	schedules, err := to.ChangedSchedules(ctx, before, 10)
	require.NoError(t, err)
	require.Empty(t, schedules, "what is equal is not written")
	changed = from.change(from.schedule(first.ID))
	from.copyTo(to)
	got, err := to.FindSchedule(ctx, first.ID)
	require.NoError(t, err)
	require.Equal(t, changed.Schedule, got.Schedule)
	require.Equal(t, changed.Defined, got.Defined)
}

// The target has fewer revisions than the source had when the schedule was defined.
func TestCopiedScheduleIsDefinedAtOtherRevisionsThanBefore(t *testing.T) {
	t.Parallel()
	from, to, ctx := openSource(t), newTarget(t), t.Context()
	schedule := from.addSchedule()
	for range 20 {
		schedule = from.change(schedule)
	}
	from.copyTo(to)
	copied, err := to.FindSchedule(ctx, schedule.ID)
	require.NoError(t, err)
	require.NoError(t, to.ChangeSchedule(ctx, copied.Revision, copied.Schedule))
	changed, err := to.FindSchedule(ctx, schedule.ID)
	require.NoError(t, err)
	require.Greater(t, changed.Defined, schedule.Defined)
	depart(t, to, changed, dayOne)
}
