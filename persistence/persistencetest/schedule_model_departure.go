package persistencetest

import (
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// date draws a date, and returns the row of its departure, if there is one.
func (m *scheduleModel) date() (booking.Date, *modelTrain) {
	date := firstDay + booking.Date(rapid.Int32Range(0, modelDates-1).Draw(m.r, "date"))
	return date, m.trains[m.id.Departure(date)]
}

func (m *scheduleModel) adopt() {
	read := m.seen()
	date, t := m.date()
	adoption := adoptionOf(read, date)
	adoption.Departure.Restored = start.Add(time.Duration(m.revision) * time.Second)
	adoption.Epoch = rapid.SampledFrom([]int64{1, 1, 1, 1, 0, 2}).Draw(m.r, "epochs")
	epoch := int64(0)
	if t != nil {
		epoch = t.guard.Epoch
	}
	adoption.Epoch += epoch
	created := adoption.Departure.Train
	if rapid.IntRange(0, 3).Draw(m.r, "stored") == 0 {
		adoption.Departure = nil
	}
	var want error
	stored := t != nil && !t.deleted
	switch {
	case !stored && adoption.Departure == nil:
		want = persistence.ErrNotFound
	case adoption.Epoch != epoch+1:
		want = persistence.ErrFenced
	case !stored && m.refusal(read) != nil:
		want = persistence.ErrStale
	}
	results, err := m.Adopt(m.Context(), []persistence.Adoption{adoption})
	require.NoError(m.r, err)
	require.ErrorIs(m.r, results[0], want)
	switch {
	case want != nil:
	case stored:
		t.guard = adoption.Guard
	default:
		if t != nil {
			created.CreatedAt = adoption.Departure.Restored
		}
		m.revision++
		m.trains[created.ID] = &modelTrain{Train: created, guard: adoption.Guard}
	}
}

func (m *scheduleModel) createTrain() {
	read := m.seen()
	date, t := m.date()
	train := read.Train(date)
	train.Follows = rapid.SampledFrom([]int64{read.Defined, read.Defined, 0}).Draw(m.r, "follows")
	var want error
	defined := int64(0)
	if m.live() {
		defined = m.stored.Defined
	}
	switch {
	case t != nil && !t.deleted:
		want = persistence.ErrExists
	case train.Follows != defined:
		want = persistence.ErrStale
	}
	require.ErrorIs(m.r, m.CreateTrain(m.Context(), train), want)
	if want != nil {
		return
	}
	guard := persistence.Guard{Train: train.ID}
	if t != nil {
		guard.Epoch = t.guard.Epoch
	}
	m.trains[train.ID] = &modelTrain{Train: train, guard: guard}
	m.setCancelled(date, false, m.cancelled(date))
}

func (m *scheduleModel) cancelled(date booking.Date) bool {
	return m.live() && slices.Contains(m.stored.Cancelled, date)
}

// setCancelled takes a revision for a train, and for the schedule if its cancelled dates are written.
func (m *scheduleModel) setCancelled(date booking.Date, cancelled, written bool) {
	if !m.live() || !written {
		m.revision++
		return
	}
	var dates []booking.Date
	for d := firstDay; d < firstDay+modelDates; d++ {
		if d == date && cancelled || d != date && m.cancelled(d) {
			dates = append(dates, d)
		}
	}
	m.stored.Cancelled = dates
	m.next(false)
}

func (m *scheduleModel) deleteTrain() {
	date, t := m.date()
	if t == nil || t.guard.Owner == (uuid.UUID{}) {
		return
	}
	deletion := persistence.Deletion{At: start, Force: rapid.Bool().Draw(m.r, "force"), Cancels: rapid.Bool().Draw(m.r, "cancels")}
	guard := t.guard
	if rapid.IntRange(0, 4).Draw(m.r, "fenced") == 0 {
		guard.Owner = uuid.New()
	}
	var want error
	switch {
	case guard != t.guard:
		want = persistence.ErrFenced
	case t.deleted:
		want = persistence.ErrNotFound
	case t.booked && !deletion.Force:
		want = persistence.ErrConflict
	}
	require.ErrorIs(m.r, m.DeleteTrain(m.Context(), guard, deletion), want)
	if want == nil {
		t.deleted, t.booked = true, false
		m.setCancelled(date, deletion.Cancels || m.cancelled(date), deletion.Cancels)
	}
}

func (m *scheduleModel) sell() {
	_, t := m.date()
	if t == nil || t.deleted || t.booked || t.guard.Owner == (uuid.UUID{}) {
		return
	}
	results, err := m.Book(m.Context(), []persistence.Sale{saleOf(t.guard, booking.Segment(0, 1), 1)})
	require.NoError(m.r, errors.Join(append(results, err)...))
	t.booked = true
}
