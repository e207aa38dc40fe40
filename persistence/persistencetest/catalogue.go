package persistencetest

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

var catalogueFacts = []fact[*exercise]{
	{"TrainsAreListedInTheOrderOfTheirRetirement", trainsByRetirement},
	{"ListedTrainIsAsItWasCreated", listedAsCreated},
	{"EachChangeTakesTheNextRevision", changesTakeRevisions},
	{"ReadersMissNoConcurrentChange", noChangeMissed},
	{"ConcurrentCreationsAndChangesDoNotDeadlock", createsAndChanges},
	{"TrainsAreFoundByID", trainsFound},
}

// all is more than the number of trains in these tests.
const all = 1000

// ids returns the ids of trains.
func idsOf(trains []booking.Train) (ids []booking.TrainID) {
	for _, t := range trains {
		ids = append(ids, t.ID)
	}
	return ids
}

func (x *exercise) changes(after int64) []persistence.ChangedTrain {
	x.Helper()
	changes, err := x.ChangedTrains(x.Context(), after, all)
	require.NoError(x, err)
	return changes
}

func trainsByRetirement(x *exercise) {
	var want []booking.TrainID
	for days := range 3 {
		ids := []booking.TrainID{booking.NewTrainID(), booking.NewTrainID()}
		slices.SortFunc(ids, func(a, b booking.TrainID) int {
			return booking.Cursor{ID: uuid.UUID(a)}.Compare(booking.Cursor{ID: uuid.UUID(b)})
		})
		want = append(ids, want...) // the next two retire earlier
		for _, id := range slices.Backward(ids) {
			train := newTrain()
			train.ID = id
			for i := range train.Stops {
				train.Stops[i].ArrivesAt, train.Stops[i].DepartsAt = time.Time{}, start.AddDate(0, 0, -days)
			}
			require.NoError(x, x.CreateTrain(x.Context(), train))
		}
	}
	timeless := newTrain()
	for i := range timeless.Stops {
		timeless.Stops[i] = booking.Stop{Station: timeless.Stops[i].Station}
	}
	require.NoError(x, x.CreateTrain(x.Context(), timeless))
	want = append(want, timeless.ID)

	trains, err := x.ListTrains(x.Context(), booking.Cursor{}, persistence.LastPosition)
	require.NoError(x, err)
	require.ElementsMatch(x, want, idsOf(trains))
	for _, size := range []int{1, 3, 7, 8} {
		var read []booking.Train
		for after := (booking.Cursor{}); after != persistence.LastPosition; {
			end, err := x.PageEnd(x.Context(), after, size)
			require.NoError(x, err)
			page, err := x.ListTrains(x.Context(), after, end)
			require.NoError(x, err)
			if end == persistence.LastPosition {
				require.Less(x, len(page), size)
			} else {
				require.Len(x, page, size)
			}
			read, after = append(read, page...), end
		}
		require.ElementsMatch(x, trains, read)
		if size == 1 {
			require.Equal(x, want, idsOf(read))
		}
	}
	current, err := x.ListTrains(x.Context(), booking.Cursor{At: start.AddDate(0, 0, -1).Add(booking.RetireAfter)}, persistence.LastPosition)
	require.NoError(x, err)
	require.ElementsMatch(x, want[2:], idsOf(current), "those that are not retired yet")

	guard := x.adopt(timeless.ID)
	require.NoError(x, x.DeleteTrain(x.Context(), guard, persistence.Deletion{At: start}))
	trains, err = x.ListTrains(x.Context(), booking.Cursor{}, persistence.LastPosition)
	require.NoError(x, err)
	require.NotContains(x, idsOf(trains), timeless.ID)
}

func listedAsCreated(x *exercise) {
	want := x.createTrain()
	listed, err := x.ListTrains(x.Context(), booking.Cursor{}, persistence.LastPosition)
	require.NoError(x, err)
	require.Len(x, listed, 1)
	x.requireSameTrain(want, listed[0])
	changed := x.changes(0)
	require.Len(x, changed, 1)
	x.requireSameTrain(want, changed[0].Train)
}

func changesTakeRevisions(x *exercise) {
	zero, err := x.Revision(x.Context())
	require.NoError(x, err)
	require.Empty(x, x.changes(zero))
	first, second := x.createTrain(), x.createTrain()
	changes := x.changes(zero)
	require.Equal(x, []booking.TrainID{first.ID, second.ID}, []booking.TrainID{changes[0].ID, changes[1].ID})
	require.Less(x, changes[0].Revision, changes[1].Revision)
	last, err := x.Revision(x.Context())
	require.NoError(x, err)
	require.Equal(x, changes[1].Revision, last)

	guard := x.adopt(first.ID)
	x.sell(guard, booking.Segment(0, 1), 1)
	require.Empty(x, x.changes(last), "adoptions and sales are no changes")
	first.Name = "Changed"
	require.NoError(x, x.ChangeTrain(x.Context(), guard, first))
	changes = x.changes(last)
	require.Len(x, changes, 1)
	x.requireSameTrain(first, changes[0].Train)
	require.False(x, changes[0].Deleted)
	require.Len(x, x.changes(zero), 2, "a train is listed once, with its last change")

	last = changes[0].Revision
	require.NoError(x, x.DeleteTrain(x.Context(), guard, persistence.Deletion{At: start, Force: true}))
	changes = x.changes(last)
	require.Len(x, changes, 1)
	require.True(x, changes[0].Deleted)
	last = changes[0].Revision
	require.NoError(x, x.CreateTrain(x.Context(), first))
	changes = x.changes(last)
	require.Len(x, changes, 1)
	require.False(x, changes[0].Deleted)

	limited, err := x.ChangedTrains(x.Context(), zero, 1)
	require.NoError(x, err)
	require.Len(x, limited, 1)
	require.Equal(x, second.ID, limited[0].ID)
}

// noChangeMissed reads changes while others create trains: a reader that asks only for what is above
// the last revision that it has seen finds all of them.
func noChangeMissed(x *exercise) {
	const creators, each = 4, 15
	seen, after := map[booking.TrainID]bool{}, int64(0)
	var created atomic.Int32
	work := func() error {
		for range each {
			if err := x.CreateTrain(x.Context(), newTrain()); err != nil {
				return err
			}
		}
		created.Add(1)
		return nil
	}
	read := func() error {
		for last := false; !last; {
			last = created.Load() == creators
			changes, err := x.ChangedTrains(x.Context(), after, all)
			if err != nil {
				return err
			}
			for _, c := range changes {
				after, seen[c.ID] = c.Revision, true
			}
		}
		return nil
	}
	for _, err := range together(creators+1, func(i int) error {
		if i == creators {
			return read()
		}
		return work()
	}) {
		require.NoError(x, err)
	}
	require.Len(x, seen, creators*each)
}

func createsAndChanges(x *exercise) {
	train := x.createTrain()
	guard := x.adopt(train.ID)
	for i, err := range together(4, func(i int) error {
		for range 10 {
			var err error
			if i == 0 { // as the train's activation, of which there is one
				err = x.ChangeTrain(x.Context(), guard, train)
			} else if err = x.CreateTrain(x.Context(), train); errors.Is(err, persistence.ErrExists) {
				err = nil
			}
			if err != nil && !errors.Is(err, persistence.ErrLocked) {
				return err
			}
		}
		return nil
	}) {
		require.NoError(x, err, "writer %d", i)
	}
}

func trainsFound(x *exercise) {
	first, second, deleted := x.createTrain(), x.createTrain(), x.createTrain()
	require.NoError(x, x.DeleteTrain(x.Context(), x.adopt(deleted.ID), persistence.Deletion{At: start}))
	found, err := x.FindTrains(x.Context(), []booking.TrainID{second.ID, booking.NewTrainID(), deleted.ID, first.ID})
	require.NoError(x, err)
	require.ElementsMatch(x, []booking.TrainID{first.ID, second.ID}, idsOf(found))
	found, err = x.FindTrains(x.Context(), nil)
	require.NoError(x, err)
	require.Empty(x, found)
}
