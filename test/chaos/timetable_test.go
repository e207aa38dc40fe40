//go:build chaos

package chaos_test

import (
	"context"
	"fmt"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

const (
	// departures are how many of the trains are departures of the timetable.
	departures = trainCount / 2
	// renameEvery is the pause between two changes of the timetable.
	renameEvery = 500 * time.Millisecond
)

// timetable is a schedule whose departures are some of the trains. It is renamed again and again, during the
// faults too, and its departures must follow.
type timetable struct {
	booking.Schedule
	used []booking.Train // departures that are or were sold
}

func (r *run) addTimetable() {
	tomorrow := booking.DateOf(time.Now().UTC()) + 1
	created, err := r.service.CreateSchedule(r.t.Context(), booking.Schedule{
		Name: "Timetable", Capacity: seatProbed, OnSale: true, TimeZone: "UTC", SoldDaysAhead: booking.MaxSoldDaysAhead,
		Calendar: booking.Calendar{Days: booking.EveryDay, From: tomorrow, Until: tomorrow + 300},
		Stops: []booking.StopTime{
			{Station: "Delhi", Departs: booking.LocalTimeOf(12 * time.Hour)}, {Station: "Mumbai", Arrives: booking.LocalTimeOf(36 * time.Hour)},
		},
	})
	require.NoError(r.t, err)
	r.timetable.Schedule = created
}

// addTrains adds trains, and takes departures that nobody has used.
func (r *run) addTrains() []booking.Train {
	trains := r.admin.AddTrains(r.t, trainCount-departures, seatProbed)
	for range departures {
		train := r.timetable.Train(r.timetable.From + booking.Date(len(r.timetable.used)))
		r.timetable.used = append(r.timetable.used, train)
		trains = append(trains, train)
	}
	return trains
}

// rename renames the timetable until ctx ends. A change that fails is applied later, or not at all.
func (r *run) rename(ctx context.Context) {
	to := r.timetable.Schedule
	for n := 1; ctx.Err() == nil; n++ {
		to.Name = fmt.Sprint("Renamed ", n)
		_, _, _ = r.service.PutSchedule(ctx, to)
		select {
		case <-time.After(renameEvery):
		case <-ctx.Done():
		}
	}
}

// checkTimetable requires that every departure follows the last change.
func (r *run) checkTimetable() {
	to := r.timetable.Schedule
	to.Name = "The last name"
	_, _, err := r.service.PutSchedule(r.t.Context(), to)
	require.NoError(r.t, err)
	for _, train := range r.timetable.used {
		found, err := r.service.FindTrain(r.t.Context(), train.ID)
		require.NoError(r.t, err)
		assert.Equal(r.t, to.Name, found.Train.Name, "train %s does not follow its schedule", train.ID)
	}
	status, err := r.service.FindSchedule(r.t.Context(), to.ID)
	require.NoError(r.t, err)
	assert.Zero(r.t, status.DivergedCount)
}
