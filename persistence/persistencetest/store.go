package persistencetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// ExerciseStore tests a Store. open returns an empty one and closes it with t.
func ExerciseStore(t *testing.T, open func(t *testing.T) persistence.Store) {
	t.Helper()
	begin := func(t *testing.T) *exercise {
		t.Helper()
		return &exercise{T: t, Store: open(t)}
	}
	for _, facts := range [][]fact[*exercise]{
		trainFacts, catalogueFacts, fenceFacts, saleFacts, bookingFacts, exchangeFacts, userFacts, refreshFacts, replyFacts,
	} {
		run(t, begin, facts)
	}
}

// ExerciseSchedules tests the schedules of a Store.
func ExerciseSchedules(t *testing.T, open func(t *testing.T) persistence.Store) {
	t.Helper()
	begin := func(t *testing.T) *exercise {
		t.Helper()
		return &exercise{T: t, Store: open(t)}
	}
	for _, facts := range [][]fact[*exercise]{scheduleFacts, departureFacts, schedulesTogether, scheduleModelFacts} {
		run(t, begin, facts)
	}
}

// RequireSeatsMatchBookings checks that each train has as many booked seats as live bookings, for
// bookings of one seat each.
func RequireSeatsMatchBookings(t *testing.T, store persistence.Store) {
	t.Helper()
	trains, err := store.ListTrains(t.Context(), booking.Cursor{}, persistence.LastPosition)
	require.NoError(t, err)
	for _, train := range trains {
		page, err := store.TrainBookings(t.Context(), train.ID, booking.PageRequest{})
		require.NoError(t, err)
		seats, err := store.SeatLegs(t.Context(), []booking.TrainID{train.ID})
		require.NoError(t, err)
		require.Len(t, seats[0], len(page.Items))
	}
}

// fact is a test that every implementation passes; X is its fixture.
type fact[X any] struct {
	name  string
	check func(X)
}

// run runs each fact as a parallel subtest.
func run[X any](t *testing.T, begin func(t *testing.T) X, facts []fact[X]) {
	t.Helper()
	for _, f := range facts {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.check(begin(t))
		})
	}
}

// exercise is the fixture of a fact about a Store.
type exercise struct {
	*testing.T
	persistence.Store
}
