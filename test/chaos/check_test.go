//go:build chaos

package chaos_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
	"trainbooking.dev/test/traffic/history"
)

// check checks the history and the store against the promises.
func (r *run) check() {
	h := r.History()
	h.Stored = processtest.StoredBookings(r.t, r.postgres.Address)
	found := h.Check(processtest.SearchTime)
	for _, problem := range found.Problems[:min(len(found.Problems), 20)] {
		r.t.Error(problem)
	}
	r.checkSeats(h.Stored)
	r.checkEpochs()
	r.checkList(h)
	r.checkTimetable()
	r.checkWatchers()
	r.report(h, found)
	if r.t.Failed() {
		r.keep(h, found)
	}
}

// checkSeats compares the table of seats with the table of bookings.
func (r *run) checkSeats(stored []booking.Booking) {
	type place struct {
		train booking.TrainID
		seat  int
	}
	want, got := map[place]booking.Legs{}, map[place]booking.Legs{}
	for _, b := range stored {
		for _, seat := range b.Seats {
			if b.CancelledAt.IsZero() {
				want[place{b.Train, seat}] |= b.Legs
			}
		}
	}
	for _, row := range servers.Query(r.t, r.postgres.Address, "SELECT train_id, seat_number, legs FROM seats WHERE legs <> 0") {
		train, err := booking.ParseTrainID(row[0])
		require.NoError(r.t, err)
		seat, err := strconv.Atoi(row[1])
		require.NoError(r.t, err)
		legs, err := strconv.ParseUint(row[2], 10, 64)
		require.NoError(r.t, err)
		got[place{train, seat}] = booking.Legs(legs)
	}
	assert.Equal(r.t, want, got, "the table of seats differs from the bookings")
}

// checkEpochs requires that the epochs of the bookings of a train never decrease (I6): in the
// order of their commits, except for cancelled ones, whose row has a later commit, and in the
// order in which the confirms arrived, if more than 5 s lie between two.
func (r *run) checkEpochs() {
	for _, row := range servers.Query(r.t, r.postgres.Address, `
		SELECT train_id, id, before, epoch, of FROM (
			SELECT train_id, id, epoch, 'commits' AS of, lag(epoch) OVER (
				PARTITION BY train_id ORDER BY pg_xact_commit_timestamp(b.xmin)) AS before
			FROM bookings b WHERE cancelled_at IS NULL
			UNION ALL
			SELECT train_id, id, epoch, 'arrivals', max(epoch) OVER (
				PARTITION BY train_id ORDER BY booked_at RANGE BETWEEN UNBOUNDED PRECEDING AND '5 s' PRECEDING)
			FROM bookings) AS ordered
		WHERE before > epoch`) {
		r.t.Errorf("I6: in the order of %s, the epochs of %s decrease at booking %s from %s to %s", row[4], row[0], row[1], row[2], row[3])
	}
	for _, row := range servers.Query(r.t, r.postgres.Address, `
		SELECT t.id, t.epoch, b.epoch FROM trains t JOIN bookings b ON b.train_id = t.id WHERE b.epoch > t.epoch`) {
		r.t.Errorf("I6: train %s has epoch %s and a booking of %s", row[0], row[1], row[2])
	}
}

// checkList compares the bookings that the service lists for admins with the store (I5).
func (r *run) checkList(h *history.History) {
	listed := processtest.ListedBookings(r.t, r.service, h.Trains())
	for i := range listed {
		listed[i].BookedAt = time.Time{}
	}
	live := slices.DeleteFunc(slices.Clone(h.Stored), func(b booking.Booking) bool { return !b.CancelledAt.IsZero() })
	assert.ElementsMatch(r.t, live, listed, "I5: the live bookings differ from those listed")
}

// keep writes the history, the logs and the pictures of a failed run to a directory.
func (r *run) keep(h *history.History, found history.Findings) {
	dir := *keep
	if dir == "" {
		var err error
		dir, err = os.MkdirTemp("", "trainbooking-chaos-")
		require.NoError(r.t, err)
	}
	require.NoError(r.t, os.MkdirAll(dir, 0o700))
	file, err := os.Create(filepath.Join(dir, "history.json"))
	require.NoError(r.t, err)
	require.NoError(r.t, json.NewEncoder(file).Encode(h))
	require.NoError(r.t, file.Close())
	for _, l := range r.logs {
		require.NoError(r.t, os.WriteFile(filepath.Join(dir, l.name), []byte(l.log.String()), 0o600))
	}
	for _, w := range found.Wrong {
		require.NoError(r.t, w.Picture(filepath.Join(dir, w.Name())))
	}
	r.t.Logf("kept in %s: history.json, the logs of the processes, a picture of each wrong seat", dir)
}
