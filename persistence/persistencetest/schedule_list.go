package persistencetest

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

func (x *exercise) revision() int64 {
	x.Helper()
	revision, err := x.Revision(x.Context())
	require.NoError(x, err)
	return revision
}

func (x *exercise) schedulesAfter(revision int64) []persistence.StoredSchedule {
	x.Helper()
	changed, err := x.ChangedSchedules(x.Context(), revision, all)
	require.NoError(x, err)
	return changed
}

func scheduleRevisions(x *exercise) {
	zero, ctx := x.revision(), x.Context()
	require.Empty(x, x.schedulesAfter(zero))
	first, train, second := x.createSchedule(), x.createTrain(), x.createSchedule()
	require.Equal(x, []persistence.StoredSchedule{first, second}, x.schedulesAfter(zero))
	require.Equal(x, []int64{zero + 1, zero + 3}, []int64{first.Revision, second.Revision}, "one counter")
	require.Equal(x, train.ID, x.changes(zero)[0].ID)
	require.NoError(x, x.ChangeSchedule(ctx, first.Revision, renamed(first.Schedule, "Changed")))
	first = x.schedule(first.ID)
	require.Equal(x, []persistence.StoredSchedule{second, first}, x.schedulesAfter(zero))
	require.NoError(x, x.DeleteSchedule(ctx, second.Revision, second.ID, persistence.ScheduleDeletion{At: start}))
	require.Equal(x, []persistence.StoredSchedule{x.schedule(second.ID)}, x.schedulesAfter(first.Revision), "also deleted")
	limited, err := x.ChangedSchedules(ctx, zero, 1)
	require.NoError(x, err)
	require.Equal(x, []persistence.StoredSchedule{first}, limited)
}

func schedulesListed(x *exercise) {
	ctx := x.Context()
	var schedules []persistence.StoredSchedule
	for days := range booking.Date(6) {
		schedule := newSchedule()
		schedule.Until -= days
		require.NoError(x, x.CreateSchedule(ctx, schedule))
		schedules = append(schedules, x.schedule(schedule.ID))
	}
	for i := range 2 {
		require.NoError(x, x.DeleteSchedule(ctx, schedules[i].Revision, schedules[i].ID, persistence.ScheduleDeletion{At: start}))
		schedules[i] = x.schedule(schedules[i].ID)
	}
	last := schedules[3].Train(schedules[3].Until)
	retire := last.RetiresAt()
	slices.SortFunc(schedules, func(a, b persistence.StoredSchedule) int {
		return booking.Cursor{ID: uuid.UUID(a.ID)}.Compare(booking.Cursor{ID: uuid.UUID(b.ID)})
	})
	list := func(retire time.Time, limit int) (listed []persistence.StoredSchedule) {
		for after := (booking.ScheduleID{}); ; after = listed[len(listed)-1].ID {
			page, err := x.ListSchedules(ctx, retire, after, limit)
			require.NoError(x, err)
			require.LessOrEqual(x, len(page), limit)
			if len(page) == 0 {
				return listed
			}
			listed = append(listed, page...)
		}
	}
	require.Equal(x, schedules, list(start, 4))
	require.Equal(x, schedules, list(start, all))
	later := slices.DeleteFunc(slices.Clone(schedules), func(s persistence.StoredSchedule) bool { return s.Until <= lastDay-3 })
	require.Equal(x, later, list(retire, 2), "not those that retire then")
	require.Len(x, list(retire.Add(-time.Microsecond), all), 4)
}

func departuresCounted(x *exercise) {
	first, second, ctx := x.createSchedule(), x.createSchedule(), x.Context()
	none := x.createSchedule()
	for i := range booking.Date(3) {
		guard := x.depart(first, firstDay+i)
		x.sell(guard, booking.Segment(0, 1), 1)
		x.sell(guard, booking.Segment(0, 1), 2)
	}
	guard := x.depart(second, firstDay)
	x.sell(guard, booking.Segment(0, 1), 1)
	guard = x.depart(second, firstDay+1)
	require.NoError(x, x.CancelBooking(ctx, guard, x.sell(guard, booking.Segment(0, 1), 1).ID, start, booking.ByPassenger))
	guard = x.depart(second, firstDay+2)
	x.sell(guard, booking.Segment(0, 1), 1)
	require.NoError(x, x.DeleteTrain(ctx, guard, persistence.Deletion{At: start, Force: true}))
	x.depart(none, firstDay)
	x.sell(x.createAdopted(), booking.Segment(0, 1), 1)
	dateless := newTrain()
	dateless.ID = booking.TrainID(none.ID)
	require.NoError(x, x.CreateTrain(ctx, dateless))
	x.sell(x.adopt(dateless.ID), booking.Segment(0, 1), 1)

	count := func(retire time.Time, ids ...booking.ScheduleID) []int {
		booked, err := x.BookedDepartures(ctx, ids, retire)
		require.NoError(x, err)
		return booked
	}
	require.Equal(x, []int{1, 0, 3}, count(start, second.ID, none.ID, first.ID))
	require.Empty(x, count(start))
	departure := first.Train(firstDay + 1)
	require.Equal(x, []int{1}, count(departure.RetiresAt(), first.ID))
	require.Equal(x, []int{2}, count(departure.RetiresAt().Add(-time.Microsecond), first.ID))
}
