package processtest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The size of the race. Users are few, because a password is dear to hash.
const (
	RaceSeats  = 300
	RacersEach = 4 // of each user, at once
	raceUsers  = 25
)

// Racer is one of the clients of a user, who locks and confirms the user's share of the
// seats, in an order of its own, and keeps what the service acknowledged.
type Racer struct {
	*Client
	Booked map[int]string // booking id by seat
	Held   map[int]*Reply // locked, and no confirm of it answered

	seats []int
	wrong []string // answers that must not be
}

// Enter signs up the users and returns their clients, RacersEach of one user after the
// other. The clients of one share out the seats among them.
func Enter(t *testing.T, url string) []*Racer {
	t.Helper()
	var racers []*Racer
	for i := range raceUsers {
		user := SignUp(t, url, fmt.Sprintf("racer-%d", i))
		seats := rand.Perm(RaceSeats) //nolint:gosec // no secret
		for j := range seats {
			seats[j]++
		}
		for share := range slices.Chunk(seats, RaceSeats/RacersEach) {
			racers = append(racers, &Racer{Client: user, seats: share, Booked: map[int]string{}, Held: map[int]*Reply{}})
		}
	}
	return racers
}

// RaceAll lets all of them race at once, until each seat was sold or refused or the
// server is gone. acknowledged is called after each confirmed seat.
func RaceAll(racers []*Racer, train string, acknowledged func()) {
	var all sync.WaitGroup
	for _, r := range racers {
		all.Go(func() { r.race(train, acknowledged) })
	}
	all.Wait()
}

func (r *Racer) race(train string, acknowledged func()) {
	for _, seat := range r.seats {
		lock, err := insist(func() (*Reply, error) { return r.Lock(train, seat) })
		if err != nil {
			return
		}
		switch lock.Status {
		case http.StatusOK:
			r.Held[seat] = lock
		case http.StatusConflict, http.StatusTooManyRequests:
			continue
		default:
			r.wrong = append(r.wrong, fmt.Sprintf("lock %d: %s", seat, lock))
			continue
		}
		confirm, err := insist(func() (*Reply, error) { return r.Confirm(lock.SeatID) })
		if err != nil {
			return
		}
		if confirm.Status != http.StatusOK {
			r.wrong = append(r.wrong, fmt.Sprintf("confirm %d: %s", seat, confirm))
			continue
		}
		delete(r.Held, seat)
		r.Booked[seat] = confirm.BookingID
		acknowledged()
	}
}

// insist sends a request again for as long as the answer says that it was not executed: a
// machine that is busy with other things than the race may not store it in time.
func insist(ask func() (*Reply, error)) (*Reply, error) {
	for begun := time.Now(); ; {
		reply, err := ask()
		executed := err != nil || reply.Status != http.StatusServiceUnavailable || reply.Outcome != "not_executed"
		if executed || time.Since(begun) > Patience {
			return reply, err
		}
	}
}

// RequireNothingWrong fails the test if any of them got an answer that must not be.
func RequireNothingWrong(t *testing.T, racers []*Racer) {
	t.Helper()
	for _, r := range racers {
		require.Empty(t, r.wrong, r.Name)
	}
}

// RequireAllSoldOnce compares what each racer was told with what the service says now.
func RequireAllSoldOnce(t *testing.T, racers []*Racer, train string) {
	t.Helper()
	var sold []int
	for i, r := range racers {
		seats := r.BookedSeats(t)
		for seat := range r.Booked {
			require.Contains(t, seats, seat, "an acknowledged booking of %s is lost", r.Name)
		}
		if i%RacersEach == 0 {
			sold = append(sold, seats...)
		}
	}
	slices.Sort(sold)
	require.Len(t, sold, RaceSeats)
	require.Len(t, slices.Compact(sold), RaceSeats, "no seat twice")
	state := racers[0].Must(t, http.StatusOK, "GET", "/v1/trains/"+train, nil)
	require.Equal(t, []int{RaceSeats, 0, 0}, []int{state.Booked, state.Held, state.Available})
}
