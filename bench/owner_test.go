package bench_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/bench/check"
	"trainbooking.dev/booking"
)

// lockSamples is how many of the seats that a run has locked are asked for again, besides four for
// each connection.
const lockSamples = 50

// shownProblems is how many contradictions a failure shows.
const shownProblems = 5

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

// checkBookings compares what was acknowledged with what every user has, which it returns.
func (b *bench) checkBookings(t *testing.T, w *workload, s *server, acks []check.Ack) check.Owned {
	t.Helper()
	owned := b.owned(t, s)
	problems := check.Problems(acks, owned)
	require.Zero(t, len(problems), "%s on %s, the first of them: %q", w.name, s.name, problems[:min(len(problems), shownProblems)])
	return owned
}

// requireSoldOut requires that every seat of a train has an owner. checkBookings has required that no
// seat has two.
func requireSoldOut(t *testing.T, s *server, f *fixture, owned check.Owned) {
	t.Helper()
	sold := 0
	for _, seats := range owned {
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

// checkLocks asks for some of the seats that a run has locked, for another user. Only as many may be
// free as requests were in flight when the run ended, whose replies nobody has seen.
func (b *bench) checkLocks(t *testing.T, w *workload, s *server, f *fixture, from int, o *outcome) {
	t.Helper()
	var sample []int
	unanswered := int(o.Values["repeated"] - o.Requests)
	for i := range o.each {
		asked := (int(o.each[i].Values["used"]) - from - i) / len(o.each)
		unanswered += asked * (w.searches + 1)
		for k := 0; w.count > 1 && k < asked; k++ {
			train, _, _ := f.seat(from+i+k*len(o.each), w.count)
			f.chosen[train]++
		}
		for k := 0; k < asked; k += max(1, asked*len(o.each)/(lockSamples+4*w.connections)) {
			sample = append(sample, from+i+k*len(o.each))
		}
	}
	if w.count > 1 {
		f.unanswered += min(unanswered, w.connections)
		b.requireLocked(t, w, s, f, f.firstOfEach(), f.unanswered)
		return
	}
	// Each client may have sent searches of a lock that it did not send.
	b.requireLocked(t, w, s, f, sample, min(unanswered+w.searches*len(o.each), w.connections))
}

// firstOfEach returns requests for some of the seats that are taken if the service chose them: the first ones
// of each train, as many as it got requests. Several clients are not equally fast, so their numbers have gaps.
func (f *fixture) firstOfEach() (sample []int) {
	total := 0
	for _, requests := range f.chosen {
		total += requests
	}
	for train, requests := range f.chosen {
		for nth := 0; nth < requests; nth += max(1, total/lockSamples) {
			sample = append(sample, nth*f.set.trains+train)
		}
	}
	return sample
}

// requireLocked asks for the seats of requests for another user, who must be refused all but a few.
func (b *bench) requireLocked(t *testing.T, w *workload, s *server, f *fixture, numbers []int, few int) {
	t.Helper()
	var given atomic.Int64
	var last atomic.Value
	eachOf(t, numbers, func(_, n int) error {
		train, seat, user := f.seat(n, w.count)
		body := lockBody(f.ids[train], seat)
		other := (user + users/2) % users
		status, reply, err := send(t.Context(), http.MethodPost, s.urls[n%len(s.urls)]+lockPath, b.tokens[other], []byte(body))
		switch {
		case err != nil:
			return err
		case status == http.StatusOK:
			given.Add(1)
			last.Store(body)
		case status != http.StatusConflict:
			return fmt.Errorf("%s on %s: %s: %d %s", w.name, s.name, body, status, reply)
		}
		return nil
	})
	require.LessOrEqual(t, int(given.Load()), few,
		"%s on %s: locked seats, of %d, were given to another user, such as %v", w.name, s.name, len(numbers), last.Load())
}

const (
	lockPath    = "/train/book-ticket/"
	confirmPath = "/train/confirm-booking/"
)

func lockBody(train booking.TrainID, seat int) string {
	return fmt.Sprintf(`{"train_id":%q,"seat_number":%d}`, train, seat)
}
