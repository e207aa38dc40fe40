package persistencetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// The dates of the model are few, so that departures are created again.
const modelDates = 2

// scheduleModel is the simplest form of one schedule and its departures.
type scheduleModel struct {
	*exercise
	r        *rapid.T
	id       booking.ScheduleID
	revision int64
	stored   *persistence.StoredSchedule // nil: never
	former   map[int64]booking.Schedule
	read     []persistence.StoredSchedule // as somebody has read it, perhaps long ago
	trains   map[booking.TrainID]*modelTrain
}

// modelTrain is the row of a departure, which may be deleted.
type modelTrain struct {
	booking.Train
	guard   persistence.Guard
	deleted bool
	booked  bool
}

var scheduleModelFacts = []fact[*exercise]{{"RandomChangesOfASchedule", matchScheduleModel}}

// matchScheduleModel executes random changes of a schedule and its departures in the store and the model,
// and compares every result and the final state.
func matchScheduleModel(x *exercise) {
	rapid.Check(x.T, func(r *rapid.T) {
		schedule := newSchedule()
		m := scheduleModel{
			exercise: x, r: r, id: schedule.ID, revision: x.revision(), former: map[int64]booking.Schedule{},
			read: []persistence.StoredSchedule{{Schedule: schedule}}, trains: map[booking.TrainID]*modelTrain{},
		}
		steps := []func(){m.create, m.change, m.remove, m.adopt, m.adopt, m.adopt, m.createTrain, m.deleteTrain, m.deleteTrain, m.sell}
		for range rapid.IntRange(1, 25).Draw(r, "steps") {
			rapid.SampledFrom(steps).Draw(r, "step")()
		}
		m.compare()
	})
}

// live reports whether the schedule is not deleted.
func (m *scheduleModel) live() bool { return m.stored != nil && m.stored.Deletion == nil }

// next gives the schedule the next revision, perhaps as a definition.
func (m *scheduleModel) next(defined bool) {
	m.revision++
	m.stored.Revision = m.revision
	if defined {
		m.stored.Defined = m.revision
		m.former[m.revision] = m.stored.Schedule
		if m.stored.Deletion != nil {
			none := m.stored.Schedule
			none.Days, none.Exceptions = 0, nil
			m.former[m.revision] = none
		}
	}
	m.read = append(m.read, *m.stored)
}

// definition returns the schedule with a name that it has not had, and another time of creation.
func (m *scheduleModel) definition() booking.Schedule {
	schedule := renamed(m.read[0].Schedule, fmt.Sprint("Schedule ", len(m.read)))
	schedule.CreatedAt = start.Add(time.Duration(len(m.read)) * time.Second)
	return schedule
}

func (m *scheduleModel) create() {
	definition := m.definition()
	own := slices.ContainsFunc(slices.Collect(maps.Values(m.trains)), func(t *modelTrain) bool { return !t.deleted && t.Follows == 0 })
	err := m.CreateSchedule(m.Context(), definition)
	switch {
	case m.live():
		require.ErrorIs(m.r, err, persistence.ErrExists)
	case own:
		require.ErrorIs(m.r, err, persistence.ErrConflict)
	default:
		require.NoError(m.r, err)
		m.stored = &persistence.StoredSchedule{Schedule: definition}
		m.next(true)
	}
}

// seen draws the schedule as it was read at some time, mostly the last one.
func (m *scheduleModel) seen() persistence.StoredSchedule {
	if rapid.IntRange(0, 2).Draw(m.r, "latest") > 0 {
		return m.read[len(m.read)-1]
	}
	return rapid.SampledFrom(m.read).Draw(m.r, "read")
}

// refusal returns why a change of the schedule as it was read is refused, or nil.
func (m *scheduleModel) refusal(read persistence.StoredSchedule) error {
	switch {
	case !m.live():
		return persistence.ErrNotFound
	case read.Revision != m.stored.Revision:
		return persistence.ErrStale
	}
	return nil
}

func (m *scheduleModel) change() {
	read, definition := m.seen(), m.definition()
	want := m.refusal(read)
	require.ErrorIs(m.r, m.ChangeSchedule(m.Context(), read.Revision, definition), want)
	if want == nil {
		definition.CreatedAt = m.stored.CreatedAt
		m.stored.Schedule = definition
		m.next(true)
	}
}

func (m *scheduleModel) remove() {
	modes := []booking.ScheduleDeletion{booking.RefuseBooked, booking.RetainBooked, booking.CancelBooked}
	read, deletion := m.seen(), persistence.ScheduleDeletion{At: start, Mode: rapid.SampledFrom(modes).Draw(m.r, "mode")}
	want := m.refusal(read)
	if want == nil && m.booked() > 0 && deletion.Mode == booking.RefuseBooked {
		want = persistence.ErrConflict
	}
	require.ErrorIs(m.r, m.DeleteSchedule(m.Context(), read.Revision, m.id, deletion), want)
	if want == nil {
		m.stored.Deletion = &deletion
		m.next(true)
	}
}

// booked returns how many departures are booked.
func (m *scheduleModel) booked() (n int) {
	for _, t := range m.trains {
		if t.booked {
			n++
		}
	}
	return n
}

// compare compares the schedule, its past, and its departures.
func (m *scheduleModel) compare() {
	ctx := m.Context()
	require.Equal(m.r, m.revision, m.exercise.revision())
	found, err := m.FindSchedule(ctx, m.id)
	if m.stored == nil {
		require.ErrorIs(m.r, err, persistence.ErrNotFound)
	} else {
		require.NoError(m.r, err)
		require.Equal(m.r, *m.stored, found)
	}
	for _, read := range m.read[1:] {
		former, err := m.FormerSchedule(ctx, m.id, read.Revision)
		want, known := m.former[read.Revision]
		require.Equal(m.r, known, err == nil)
		require.Equal(m.r, want, former)
	}
	booked, err := m.BookedDepartures(ctx, []booking.ScheduleID{m.id}, start)
	require.NoError(m.r, err)
	require.Equal(m.r, []int{m.booked()}, booked)
	for id, want := range m.trains {
		epoch, err := Epoch(ctx, m, id)
		require.Equal(m.r, want.deleted, errors.Is(err, persistence.ErrNotFound))
		require.Equal(m.r, want.guard.Epoch, epoch)
		if want.deleted {
			continue
		}
		loaded, err := LoadTrain(ctx, m, id, nil)
		require.NoError(m.r, err)
		require.True(m.r, want.Same(&loaded.Train), "want %v, got %v", want.Train, loaded.Train)
		require.Equal(m.r, want.Follows, loaded.Train.Follows)
		require.Equal(m.r, want.CreatedAt, loaded.Train.CreatedAt)
	}
}
