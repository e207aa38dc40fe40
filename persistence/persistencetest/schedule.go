package persistencetest

import (
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

var scheduleFacts = []fact[*exercise]{
	{"ScheduleIsFoundAsItWasCreated", scheduleFound},
	{"UnknownScheduleIsNotFound", unknownSchedule},
	{"ScheduleIsNotCreatedTwice", scheduleNotCreatedTwice},
	{"ScheduleIsNotCreatedOverATrain", scheduleOverTrain},
	{"ScheduleIsChangedAtItsRevision", scheduleChanged},
	{"ScheduleIsDeletedAtItsRevision", scheduleDeleted},
	{"ScheduleWithBookedDeparturesIsRefused", bookedScheduleRefused},
	{"RestoredScheduleIsANewOne", scheduleRestored},
	{"FormerDefinitionsAreKept", formerDefinitions},
	{"EachChangeOfAScheduleTakesTheNextRevision", scheduleRevisions},
	{"SchedulesAreListedUntilTheyRetire", schedulesListed},
	{"BookedDeparturesAreCounted", departuresCounted},
}

// The first and the last date of schedules in these tests, which are months ahead.
var (
	firstDay = booking.DateOf(start) + 100
	lastDay  = firstDay + 400
)

// newSchedule returns a schedule of ten seats that runs every day but two, in a zone with summer time.
func newSchedule() booking.Schedule {
	times := []booking.LocalTime{booking.LocalTimeOf(22 * time.Hour), booking.LocalTimeOf(25*time.Hour + 10*time.Minute)}
	return booking.Schedule{
		ID: booking.NewScheduleID(), Name: `Nachtzug "नाइट" 🚆`, Capacity: 10, OnSale: true, TimeZone: "Europe/Berlin",
		Calendar: booking.Calendar{
			Days: booking.EveryDay, From: firstDay, Until: lastDay,
			Exceptions: []booking.Exception{{Date: firstDay + 20}, {Date: firstDay + 21}, {Date: firstDay + 22, Runs: true}},
		},
		SoldDaysAhead: 500,
		Stops: []booking.StopTime{
			{Station: "Berlin", Departs: times[0]},
			{Station: "Praha", Arrives: times[1], Departs: times[1]},
			{Station: "Kyïv", Arrives: booking.LocalTimeOf(40 * time.Hour), TimeZone: "Europe/Kyiv"},
		},
		CreatedAt: start, UpdatedAt: start.Add(time.Microsecond),
	}
}

// createSchedule returns a schedule as it is stored.
func (x *exercise) createSchedule() persistence.StoredSchedule {
	x.Helper()
	schedule := newSchedule()
	require.NoError(x, x.CreateSchedule(x.Context(), schedule))
	return x.schedule(schedule.ID)
}

func (x *exercise) schedule(id booking.ScheduleID) persistence.StoredSchedule {
	x.Helper()
	found, err := x.FindSchedule(x.Context(), id)
	require.NoError(x, err)
	return found
}

// renamed returns the schedule with another name, changed later.
func renamed(schedule booking.Schedule, name string) booking.Schedule {
	schedule.Name, schedule.UpdatedAt = name, schedule.UpdatedAt.Add(time.Minute)
	return schedule
}

func scheduleFound(x *exercise) {
	want := newSchedule()
	require.NoError(x, x.CreateSchedule(x.Context(), want))
	revision := x.revision()
	require.Equal(x, persistence.StoredSchedule{Schedule: want, Revision: revision, Defined: revision}, x.schedule(want.ID))
	require.Equal(x, []persistence.StoredSchedule{x.schedule(want.ID)}, x.schedulesAfter(0))
}

func unknownSchedule(x *exercise) {
	known, ctx, unknown := x.createSchedule(), x.Context(), newSchedule()
	_, err := x.FindSchedule(ctx, unknown.ID)
	require.ErrorIs(x, err, persistence.ErrNotFound)
	_, err = x.FormerSchedule(ctx, unknown.ID, known.Defined)
	require.ErrorIs(x, err, persistence.ErrNotFound)
	require.ErrorIs(x, x.ChangeSchedule(ctx, known.Revision, unknown), persistence.ErrNotFound)
	require.ErrorIs(x, x.DeleteSchedule(ctx, known.Revision, unknown.ID, persistence.ScheduleDeletion{}), persistence.ErrNotFound)
	booked, err := x.BookedDepartures(ctx, []booking.ScheduleID{unknown.ID}, start)
	require.NoError(x, err)
	require.Equal(x, []int{0}, booked)
}

func scheduleNotCreatedTwice(x *exercise) {
	stored := x.createSchedule()
	require.ErrorIs(x, x.CreateSchedule(x.Context(), renamed(stored.Schedule, "Another")), persistence.ErrExists)
	require.Equal(x, stored, x.schedule(stored.ID))
	require.Equal(x, stored.Revision, x.revision())
}

// scheduleOverTrain creates schedules over trains that have the id of one of its departures, or nearly.
func scheduleOverTrain(x *exercise) {
	schedule, ctx := newSchedule(), x.Context()
	own := newTrain()
	for _, date := range []booking.Date{booking.FirstDate, firstDay, booking.LastDate} {
		own.ID = schedule.ID.Departure(date)
		require.NoError(x, x.CreateTrain(ctx, own))
		before := x.revision()
		require.ErrorIs(x, x.CreateSchedule(ctx, schedule), persistence.ErrConflict)
		require.Equal(x, before, x.revision())
		_, err := x.FindSchedule(ctx, schedule.ID)
		require.ErrorIs(x, err, persistence.ErrNotFound)
		require.NoError(x, x.DeleteTrain(ctx, x.adopt(own.ID), persistence.Deletion{At: start}))
	}
	own.ID = booking.TrainID(schedule.ID) // of no date
	require.NoError(x, x.CreateTrain(ctx, own))
	next := schedule.ID
	next[11]++
	own.ID = next.Departure(booking.FirstDate)
	require.NoError(x, x.CreateTrain(ctx, own))
	require.NoError(x, x.CreateSchedule(ctx, schedule), "these are others, and those are deleted")
}

func scheduleChanged(x *exercise) {
	before, ctx := x.createSchedule(), x.Context()
	require.ErrorIs(x, x.ChangeSchedule(ctx, before.Revision-1, renamed(before.Schedule, "Stale")), persistence.ErrStale)
	require.ErrorIs(x, x.ChangeSchedule(ctx, before.Revision+1, renamed(before.Schedule, "Stale")), persistence.ErrStale)
	require.Equal(x, before, x.schedule(before.ID))
	require.Equal(x, before.Revision, x.revision())

	change := renamed(before.Schedule, "Changed")
	change.Capacity, change.OnSale, change.TimeZone, change.Days = 20, false, "America/New_York", booking.WeekdaysOf(time.Monday)
	change.From, change.Until, change.Exceptions, change.SoldDaysAhead = firstDay+1, lastDay+1, nil, 0
	change.Stops = change.Stops[1:]
	want := change
	change.CreatedAt = start.Add(time.Hour) // must be ignored
	require.NoError(x, x.ChangeSchedule(ctx, before.Revision, change))
	after := x.schedule(before.ID)
	require.Greater(x, after.Revision, before.Revision)
	require.Equal(x, persistence.StoredSchedule{Schedule: want, Revision: after.Revision, Defined: after.Revision}, after)
	require.ErrorIs(x, x.ChangeSchedule(ctx, before.Revision, change), persistence.ErrStale, "once")
}

func scheduleDeleted(x *exercise) {
	before, ctx := x.createSchedule(), x.Context()
	for _, mode := range []booking.ScheduleDeletion{booking.RefuseBooked, booking.RetainBooked, booking.CancelBooked} {
		deletion := persistence.ScheduleDeletion{At: start.Add(time.Hour), Mode: mode}
		require.ErrorIs(x, x.DeleteSchedule(ctx, before.Revision-1, before.ID, deletion), persistence.ErrStale)
		require.NoError(x, x.DeleteSchedule(ctx, before.Revision, before.ID, deletion))
		after := x.schedule(before.ID)
		require.Equal(x, persistence.StoredSchedule{
			Schedule: before.Schedule, Revision: x.revision(), Defined: x.revision(), Deletion: &deletion,
		}, after)
		require.ErrorIs(x, x.DeleteSchedule(ctx, after.Revision, before.ID, deletion), persistence.ErrNotFound)
		require.ErrorIs(x, x.ChangeSchedule(ctx, after.Revision, before.Schedule), persistence.ErrNotFound)
		require.NoError(x, x.CreateSchedule(ctx, before.Schedule))
		before = x.schedule(before.ID)
		require.Nil(x, before.Deletion)
	}
}

func bookedScheduleRefused(x *exercise) {
	schedule, ctx := x.createSchedule(), x.Context()
	guard := x.depart(schedule, firstDay+3)
	sold := x.sell(guard, booking.Segment(0, 1), 1)
	refuse := persistence.ScheduleDeletion{At: start, Mode: booking.RefuseBooked}
	require.ErrorIs(x, x.DeleteSchedule(ctx, schedule.Revision, schedule.ID, refuse), persistence.ErrConflict)
	require.Equal(x, schedule, x.schedule(schedule.ID))
	departure := schedule.Train(firstDay + 3)
	for at, want := range map[time.Time]error{
		departure.RetiresAt().Add(-time.Microsecond): persistence.ErrConflict, departure.RetiresAt(): nil,
	} {
		require.ErrorIs(x, x.deleteAndRestore(schedule.ID, persistence.ScheduleDeletion{At: at}), want)
	}
	for _, mode := range []booking.ScheduleDeletion{booking.RetainBooked, booking.CancelBooked} {
		require.NoError(x, x.deleteAndRestore(schedule.ID, persistence.ScheduleDeletion{At: start, Mode: mode}))
		require.Equal(x, []booking.Booking{sold}, x.live(guard.Train), "it is cancelled by its departure")
	}
	require.NoError(x, x.CancelBooking(ctx, guard, sold.ID, start, booking.ByPassenger))
	require.NoError(x, x.deleteAndRestore(schedule.ID, refuse))
}

// deleteAndRestore deletes a schedule and creates it again if that succeeds.
func (x *exercise) deleteAndRestore(id booking.ScheduleID, deletion persistence.ScheduleDeletion) error {
	x.Helper()
	before := x.schedule(id)
	if err := x.DeleteSchedule(x.Context(), before.Revision, id, deletion); err != nil {
		return err
	}
	return x.CreateSchedule(x.Context(), before.Schedule)
}

func scheduleRestored(x *exercise) {
	first, ctx := x.createSchedule(), x.Context()
	x.cancelDate(first, firstDay+1)
	require.Equal(x, []booking.Date{firstDay + 1}, x.schedule(first.ID).Cancelled)
	require.NoError(x, x.DeleteSchedule(ctx, x.schedule(first.ID).Revision, first.ID, persistence.ScheduleDeletion{At: start}))
	require.Equal(x, []booking.Date{firstDay + 1}, x.schedule(first.ID).Cancelled)
	next := renamed(first.Schedule, "Restored")
	next.CreatedAt = start.Add(time.Hour)
	require.NoError(x, x.CreateSchedule(ctx, next))
	revision := x.revision()
	require.Equal(x, persistence.StoredSchedule{Schedule: next, Revision: revision, Defined: revision}, x.schedule(first.ID))
}

func formerDefinitions(x *exercise) {
	first, ctx := x.createSchedule(), x.Context()
	id := first.ID
	x.cancelDate(first, firstDay+2)
	require.NoError(x, x.ChangeSchedule(ctx, x.schedule(id).Revision, renamed(first.Schedule, "Second")))
	second := x.schedule(id)
	require.NoError(x, x.DeleteSchedule(ctx, second.Revision, id, persistence.ScheduleDeletion{At: start}))
	deleted := x.schedule(id)
	none := second.Schedule
	none.Days, none.Exceptions = 0, nil
	want := map[int64]booking.Schedule{first.Defined: first.Schedule, second.Defined: second.Schedule, deleted.Defined: none}
	requireFormer := func() {
		x.Helper()
		for defined, definition := range want {
			former, err := x.FormerSchedule(ctx, id, defined)
			require.NoError(x, err)
			require.Equal(x, definition, former)
		}
	}
	requireFormer()
	third := renamed(first.Schedule, "Third")
	third.CreatedAt = start.Add(time.Hour)
	require.NoError(x, x.CreateSchedule(ctx, third))
	want[x.schedule(id).Defined] = third
	requireFormer()
	x.cancelDate(x.schedule(id), firstDay+3)
	requireFormer()
	_, err := x.FormerSchedule(ctx, id, x.schedule(id).Revision)
	require.ErrorIs(x, err, persistence.ErrNotFound, "a cancelled date is no definition")
	_, err = x.FormerSchedule(ctx, id, 0)
	require.ErrorIs(x, err, persistence.ErrNotFound)
	other := x.createSchedule()
	_, err = x.FormerSchedule(ctx, other.ID, first.Defined)
	require.ErrorIs(x, err, persistence.ErrNotFound)
}
