package persistencetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

var schedulesTogether = []fact[*exercise]{
	{"OneOfManyAdoptersOfADepartureWins", oneDepartureAdopted},
	{"DepartureFollowsTheDefinitionAtItsRevision", departuresBesideChanges},
	{"OneOfManyCreatorsOfAScheduleWins", oneScheduleCreated},
	{"TrainAndScheduleAreNotCreatedTogether", trainOrSchedule},
	{"OneOfManyChangesOfAScheduleWins", oneScheduleChanged},
	{"NoCancelledDateIsLost", noDateLost},
}

// unlocked calls do until it is not locked by somebody else.
func unlocked(do func() error) error {
	for {
		if err := do(); !errors.Is(err, persistence.ErrLocked) {
			return err
		}
	}
}

// adoptOne adopts without the locks of others.
func (x *exercise) adoptOne(adoption persistence.Adoption) error {
	return unlocked(func() error {
		results, err := x.Adopt(x.Context(), []persistence.Adoption{adoption})
		return errors.Join(append(results, err)...)
	})
}

// requireOne checks that one succeeded, and the others have an error that is one of these.
func (x *exercise) requireOne(results []error, others ...error) (winner int) {
	x.Helper()
	require.Equal(x, 1, succeeded(results), "%v", results)
	for i, err := range results {
		if err == nil {
			winner = i
			continue
		}
		require.True(x, slices.ContainsFunc(others, func(other error) bool { return errors.Is(err, other) }), "%v", err)
	}
	return winner
}

// oneDepartureAdopted adopts a departure that has no row, and then one that is deleted.
func oneDepartureAdopted(x *exercise) {
	const adopters = 6
	schedule := x.createSchedule()
	for epoch := range int64(5) {
		adoptions := make([]persistence.Adoption, adopters)
		for i := range adoptions {
			adoptions[i] = adoptionOf(schedule, firstDay)
			adoptions[i].Epoch, adoptions[i].Owner = epoch+1, uuid.New()
			adoptions[i].Departure.Restored = start.Add(time.Duration(epoch) * time.Hour)
		}
		before := x.revision()
		winner := adoptions[x.requireOne(together(adopters, func(i int) error { return x.adoptOne(adoptions[i]) }), persistence.ErrFenced)]
		changes := x.changes(before)
		require.Len(x, changes, 1)
		require.Equal(x, start.Add(time.Duration(epoch)*time.Hour), changes[0].CreatedAt)
		for _, a := range adoptions {
			sold := x.book(saleOf(a.Guard, booking.Segment(0, 1), 1))[0]
			require.Equal(x, a.Owner == winner.Owner, sold == nil)
		}
		require.NoError(x, x.DeleteTrain(x.Context(), winner.Guard, persistence.Deletion{At: start, Force: true}))
	}
}

// departuresBesideChanges adopts departures while their schedule is changed. Whoever asks for what is above
// the revision of a change finds no departure that follows an earlier definition: a row follows the last
// definition before its revision, and is as that says.
func departuresBesideChanges(x *exercise) {
	const adopters, each, changes = 4, 25, 12
	id := x.createSchedule().ID
	defined := []int64{x.schedule(id).Defined}
	results := together(adopters+1, func(i int) (err error) {
		for n := range booking.Date(each) {
			switch {
			case i < adopters:
				err = x.departAsItIs(id, firstDay+booking.Date(i)*each+n) //nolint:gosec // few
			case n < changes:
				err = x.changeAsItIs(id, fmt.Sprint("Definition ", n))
				defined = append(defined, x.schedule(id).Defined)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	require.Equal(x, make([]error, adopters+1), results)
	rows := x.changes(0)
	require.Len(x, rows, adopters*each)
	for _, row := range rows {
		i, _ := slices.BinarySearch(defined, row.Revision)
		require.Equal(x, defined[i-1], row.Follows)
		definition, err := x.FormerSchedule(x.Context(), id, row.Follows)
		require.NoError(x, err)
		_, date, _ := row.ID.Schedule()
		want := definition.Train(date)
		want.Follows = row.Follows
		x.requireSameTrain(want, row.Train)
	}
}

// departAsItIs adopts a departure of a schedule, which others change.
func (x *exercise) departAsItIs(id booking.ScheduleID, date booking.Date) error {
	for {
		schedule, err := x.FindSchedule(x.Context(), id)
		if err != nil {
			return err
		}
		if err := x.adoptOne(adoptionOf(schedule, date)); !errors.Is(err, persistence.ErrStale) {
			return err
		}
	}
}

// changeAsItIs changes the definition of a schedule, which nobody else does.
func (x *exercise) changeAsItIs(id booking.ScheduleID, name string) error {
	return unlocked(func() error {
		schedule, err := x.FindSchedule(x.Context(), id)
		if err != nil {
			return err
		}
		return x.ChangeSchedule(x.Context(), schedule.Revision, renamed(schedule.Schedule, name))
	})
}

func oneScheduleCreated(x *exercise) {
	const creators = 6
	schedule := newSchedule()
	for range 3 {
		results := together(creators, func(i int) error {
			return x.CreateSchedule(x.Context(), renamed(schedule, fmt.Sprint("Schedule ", i)))
		})
		winner := x.requireOne(results, persistence.ErrExists)
		stored := x.schedule(schedule.ID)
		require.Equal(x, fmt.Sprint("Schedule ", winner), stored.Name)
		deletion := persistence.ScheduleDeletion{At: start}
		x.requireOne(together(creators, func(int) error {
			return x.DeleteSchedule(x.Context(), stored.Revision, schedule.ID, deletion)
		}), persistence.ErrNotFound)
		former, err := x.FormerSchedule(x.Context(), schedule.ID, stored.Defined)
		require.NoError(x, err)
		require.Equal(x, stored.Schedule, former)
	}
}

// trainOrSchedule creates a schedule and a train with the id of one of its departures.
func trainOrSchedule(x *exercise) {
	for range 20 {
		schedule := newSchedule()
		train := schedule.Train(firstDay)
		results := together(2, func(i int) error {
			if i == 0 {
				return x.CreateSchedule(x.Context(), schedule)
			}
			return x.CreateTrain(x.Context(), train)
		})
		winner := x.requireOne(results, persistence.ErrConflict, persistence.ErrStale)
		require.ErrorIs(x, results[1-winner], []error{persistence.ErrStale, persistence.ErrConflict}[winner])
	}
}

func oneScheduleChanged(x *exercise) {
	const changers = 6
	id := x.createSchedule().ID
	for range 5 {
		stored := x.schedule(id)
		winner := x.requireOne(together(changers, func(i int) error {
			return x.ChangeSchedule(x.Context(), stored.Revision, renamed(stored.Schedule, fmt.Sprint("Schedule ", i)))
		}), persistence.ErrStale)
		require.Equal(x, fmt.Sprint("Schedule ", winner), x.schedule(id).Name)
	}
}

// noDateLost deletes departures while others are created again, each by itself.
func noDateLost(x *exercise) {
	const others, each = 3, 8
	schedule := x.createSchedule()
	var guards [2 * others][each]persistence.Guard
	for i := range guards {
		for n := range guards[i] {
			guards[i][n] = x.depart(schedule, firstDay+booking.Date(i*each+n))
		}
	}
	remove := func(guard persistence.Guard) error {
		return unlocked(func() error {
			return x.DeleteTrain(x.Context(), guard, persistence.Deletion{At: start, Cancels: true})
		})
	}
	for _, row := range guards[others:] {
		for _, guard := range row {
			require.NoError(x, remove(guard))
		}
	}
	for i, err := range together(2*others, func(i int) error {
		for _, guard := range guards[i] {
			var err error
			if i < others {
				err = remove(guard)
			} else {
				_, date, _ := guard.Train.Schedule()
				train := schedule.Train(date)
				train.Follows = schedule.Defined
				err = unlocked(func() error { return x.CreateTrain(x.Context(), train) })
			}
			if err != nil {
				return err
			}
		}
		return nil
	}) {
		require.NoError(x, err, "%d", i)
	}
	want := []booking.Date{}
	for date := range booking.Date(others * each) {
		want = append(want, firstDay+date)
	}
	require.Equal(x, want, x.schedule(schedule.ID).Cancelled)
}
