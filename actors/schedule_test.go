package actors_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// addSchedule adds a schedule that runs each day from tomorrow on in UTC.
func addSchedule(t *testing.T, s booking.Service) booking.Schedule {
	t.Helper()
	tomorrow := booking.DateOf(time.Now().UTC()) + 1
	schedule, err := s.CreateSchedule(t.Context(), booking.Schedule{
		Name: "Scheduled", Capacity: 3, OnSale: true, TimeZone: "UTC", SoldDaysAhead: 60,
		Calendar: booking.Calendar{Days: booking.EveryDay, From: tomorrow, Until: tomorrow + 30},
		Stops: []booking.StopTime{
			{Station: "A", Departs: booking.LocalTimeOf(12 * time.Hour)}, {Station: "B", Arrives: booking.LocalTimeOf(13 * time.Hour)},
		},
	})
	require.NoError(t, err)
	return schedule
}

// A process that dies after it has stored a change of a schedule, and before the departures follow, leaves
// that to the owners.
func TestDeparturesFollowAfterTheProcessThatChangedTheirScheduleDied(t *testing.T) {
	t.Parallel()
	db := openStores(t)
	s := start(t, db, rules)
	schedule := addSchedule(t, s)
	booked, deleted := schedule.Train(schedule.From), addSchedule(t, s)
	for _, train := range []booking.TrainID{booked.ID, schedule.ID.Departure(schedule.From + 1), deleted.ID.Departure(deleted.From)} {
		_, err := s.Hold(t.Context(), seat(train, uuid.New(), 1))
		require.NoError(t, err)
	}
	stored, err := db.FindSchedule(t.Context(), schedule.ID)
	require.NoError(t, err)
	to := schedule
	to.Name, to.Exceptions = "Changed", []booking.Exception{{Date: schedule.From}}
	require.NoError(t, db.ChangeSchedule(t.Context(), stored.Revision, to))
	stored, err = db.FindSchedule(t.Context(), deleted.ID)
	require.NoError(t, err)
	require.NoError(t, db.DeleteSchedule(t.Context(), stored.Revision, deleted.ID, deletion(booking.CancelBooked)))
	require.NoError(t, actors.Refresh(t.Context(), s))
	require.Equal(t, booking.Tally{Held: 1, Available: 2}, tally(t, s, booked.ID))

	actors.SettleOwn(t.Context(), s)
	for date, onSale := range map[booking.Date]bool{schedule.From: false, schedule.From + 1: true, schedule.From + 2: true} {
		found, err := s.FindTrain(t.Context(), schedule.ID.Departure(date))
		require.NoError(t, err)
		require.Equal(t, "Changed", found.Train.Name)
		require.Equal(t, onSale, found.Train.OnSale)
	}
	_, err = s.FindTrain(t.Context(), deleted.ID.Departure(deleted.From))
	require.Equal(t, booking.CodeNotFound, booking.CodeOf(err))
	require.Empty(t, actors.Unsettled(s))
}

// Nobody makes rows by asking for what cannot be sold.
func TestRefusedRequestMakesNoRow(t *testing.T) {
	t.Parallel()
	db := openStores(t)
	s := start(t, db, rules)
	schedule, user := addSchedule(t, s), uuid.New()
	late := schedule
	late.SoldDaysAhead = 0
	_, _, err := s.PutSchedule(t.Context(), late)
	require.NoError(t, err)
	id := schedule.ID.Departure(schedule.From + 3)
	_, err = s.Hold(t.Context(), seat(id, user, 1))
	require.Equal(t, booking.CodeNotOnSale, booking.CodeOf(err))
	ref := booking.HoldRef{Train: id, User: user, Seat: 1}
	_, err = s.Confirm(t.Context(), ref)
	require.Equal(t, booking.CodeSeatNotLocked, booking.CodeOf(err))
	_, err = s.Extend(t.Context(), ref)
	require.Equal(t, booking.CodeSeatNotLocked, booking.CodeOf(err))
	require.Equal(t, booking.CodeSeatNotLocked, booking.CodeOf(s.Release(t.Context(), ref)))
	rows, err := db.FindTrains(t.Context(), []booking.TrainID{id})
	require.NoError(t, err)
	require.Empty(t, rows)
}

// Another process adopts a departure, and this one does not know its row yet.
func TestHoldOfADepartureWithAnUnknownRowIsRefused(t *testing.T) {
	t.Parallel()
	db := openStores(t)
	s := start(t, db, rules)
	schedule := addSchedule(t, s)
	id := schedule.ID.Departure(schedule.From)
	_, err := db.Adopt(t.Context(), adoptionOf(t, db, schedule, id))
	require.NoError(t, err)
	held, err := s.Hold(t.Context(), seat(id, uuid.New(), 1))
	require.NoError(t, err, "the row is found when the departure is adopted")
	_, err = s.Confirm(t.Context(), refTo(held))
	require.NoError(t, err)
}

// What a confirmation must read of a departure does not wait for readers.
func TestRequestToADepartureWithAnUnknownRowDoesNotWaitForReaders(t *testing.T) {
	t.Parallel()
	db := openStores(t)
	s := start(t, db, rules)
	schedule := addSchedule(t, s)
	id := schedule.ID.Departure(schedule.From)
	_, err := db.Adopt(t.Context(), adoptionOf(t, db, schedule, id))
	require.NoError(t, err)
	actors.OccupyReads(s)
	_, err = s.Confirm(t.Context(), booking.HoldRef{Train: id, User: uuid.New(), Seat: 1})
	require.Equal(t, booking.CodeSeatNotLocked, booking.CodeOf(err))
}

// A departure is adopted as a schedule was that has changed since it was read.
func TestDepartureIsAdoptedAsTheChangedScheduleSays(t *testing.T) {
	t.Parallel()
	db := openStores(t)
	s := start(t, db, rules)
	schedule := addSchedule(t, s)
	stored, err := db.FindSchedule(t.Context(), schedule.ID)
	require.NoError(t, err)
	to := schedule
	to.Capacity = 9
	require.NoError(t, db.ChangeSchedule(t.Context(), stored.Revision, to)) // and this process is not notified
	_, err = s.Hold(t.Context(), seat(schedule.ID.Departure(schedule.From), uuid.New(), 1))
	require.NoError(t, err)
	found, err := s.FindTrain(t.Context(), schedule.ID.Departure(schedule.From))
	require.NoError(t, err)
	require.Equal(t, 9, found.Train.Capacity)
	require.Empty(t, actors.Unsettled(s))
}

func deletion(mode booking.ScheduleDeletion) persistence.ScheduleDeletion {
	return persistence.ScheduleDeletion{At: time.Now().UTC().Truncate(time.Microsecond), Mode: mode}
}

// adoptionOf returns the adoption of a departure by another process.
func adoptionOf(
	t *testing.T, store persistence.Schedules, schedule booking.Schedule, id booking.TrainID,
) []persistence.Adoption {
	t.Helper()
	stored, err := store.FindSchedule(t.Context(), schedule.ID)
	require.NoError(t, err)
	_, date, _ := id.Schedule()
	train := stored.Train(date)
	train.Follows = stored.Defined
	return []persistence.Adoption{{
		Guard:     persistence.Guard{Train: id, Epoch: 1, Owner: uuid.New()},
		Departure: &persistence.Departure{Train: train, Revision: stored.Revision, Restored: train.CreatedAt},
	}}
}
