package bench_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/bench/check"
	"trainbooking.dev/booking"
)

// lockSamples is how many of the seats that a run has locked are asked for again.
const lockSamples = 50

// owned reads the bookings of every user.
func (b *bench) owned(t *testing.T, s *server) check.Owned {
	t.Helper()
	var mu sync.Mutex
	owned := check.Owned{}
	eachOf(t, b.users, func(i int, _ uuid.UUID) error {
		status, body, err := get(t.Context(), s.urls[i%len(s.urls)]+"/train/view-bookings/", b.tokens[i])
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("view-bookings on %s: %d %s", s.name, status, body)
		}
		var list []struct {
			Train booking.TrainID `json:"train_id"`
			Seat  int             `json:"seat_number"`
		}
		if err := json.Unmarshal(body, &list); err != nil {
			return err
		}
		seats := make([]string, len(list))
		for n, booked := range list {
			seats[n] = booked.Train.Seat(booked.Seat).String()
		}
		mu.Lock()
		defer mu.Unlock()
		owned[i+1] = seats
		return nil
	})
	return owned
}

// checkBookings compares what was acknowledged with what every user has.
func (b *bench) checkBookings(t *testing.T, w *workload, s *server, acks []check.Ack) {
	t.Helper()
	if len(acks) == 0 {
		return // nothing was to be sold
	}
	require.Empty(t, check.Problems(acks, b.owned(t, s)), "%s on %s", w.name, s.name)
}

// checkSoldOut requires that every seat of a train has an owner. checkBookings has required that no
// seat has two.
func (b *bench) checkSoldOut(t *testing.T, s *server, f *fixture) {
	t.Helper()
	sold := 0
	for _, seats := range b.owned(t, s) {
		for _, text := range seats {
			seat, err := booking.ParseSeatID(text)
			require.NoError(t, err)
			if seat.Train() == f.ids[0] {
				sold++
			}
		}
	}
	require.Equal(t, f.set.capacity, sold, "seats sold by %s", s.name)
}

// checkLocks asks for some of the seats that were locked in a run, for another user, who must be
// refused. Requests of the second half of the run are left out: some were in flight when it ended.
func (b *bench) checkLocks(t *testing.T, w *workload, s *server, f *fixture, from int) {
	t.Helper()
	perGroup, trains := f.set.share, f.set.group
	if perGroup == 0 {
		perGroup, trains = f.set.requests(w.count), f.set.trains
	}
	var sample []int
	half := (f.used - from) / 2
	for n := from; n < from+half; n += max(1, half/lockSamples) {
		sample = append(sample, n)
	}
	eachOf(t, sample, func(_, n int) error {
		group, inside := n/perGroup, n%perGroup
		train, nth := group*trains+inside%trains, inside/trains
		other := (nth + train*7 + users/2) % users // lua/seats.lua gives it to the user half a round away
		body := fmt.Sprintf(`{"train_id":%q,"seat_number":%d}`, f.ids[train], nth*w.count+1)
		status, reply, err := send(t.Context(), http.MethodPost, s.urls[n%len(s.urls)]+"/train/book-ticket/", b.tokens[other], []byte(body))
		if err == nil && status != http.StatusConflict {
			err = fmt.Errorf("%s on %s: another user was not refused a locked seat: %s: %d %s", w.name, s.name, body, status, reply)
		}
		return err
	})
}
