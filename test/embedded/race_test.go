package embedded_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	raceUsers  = 25
	racers     = 4 // of each user, at once
	raceSeats  = 300
	killedWhen = 90 // seats are booked
)

// racer is one of the clients of a user, who locks and confirms the user's share of the
// seats, in an order of its own, and keeps what the service acknowledged.
type racer struct {
	*client
	seats  []int
	booked map[int]string // booking id by seat
	held   map[int]*reply // locked, and no confirm of it answered
	wrong  []string       // answers that must not be
}

// race takes seats until each was sold or refused, or the server is gone. acknowledged
// is called after each confirmed seat.
func (r *racer) race(train string, acknowledged func()) {
	for _, seat := range r.seats {
		lock, err := r.lock(train, seat)
		if err != nil {
			return
		}
		switch lock.status {
		case http.StatusOK:
			r.held[seat] = lock
		case http.StatusConflict, http.StatusTooManyRequests:
			continue
		default:
			r.wrong = append(r.wrong, fmt.Sprintf("lock %d: %s", seat, lock))
			continue
		}
		confirm, err := r.confirm(lock.SeatID)
		if err != nil {
			return
		}
		if confirm.status != http.StatusOK {
			r.wrong = append(r.wrong, fmt.Sprintf("confirm %d: %s", seat, confirm))
			continue
		}
		delete(r.held, seat)
		r.booked[seat] = confirm.BookingID
		acknowledged()
	}
}

// raceAll lets all of them race at once and returns when all have ended.
func raceAll(runners []*racer, train string, acknowledged func()) {
	var all sync.WaitGroup
	for _, r := range runners {
		all.Go(func() { r.race(train, acknowledged) })
	}
	all.Wait()
}

// enter signs up the users and returns their clients. Users are few, because a password
// is dear to hash; the clients of one share out the seats among them.
func enter(t *testing.T, url string) []*racer {
	t.Helper()
	var runners []*racer
	for i := range raceUsers {
		user := signUp(t, url, fmt.Sprintf("racer-%d", i))
		seats := rand.Perm(raceSeats)
		for j := range seats {
			seats[j]++
		}
		for share := range slices.Chunk(seats, raceSeats/racers) {
			runners = append(runners, &racer{
				client: user, seats: share, booked: map[int]string{}, held: map[int]*reply{},
			})
		}
	}
	return runners
}

// A hundred clients race for three hundred seats, the service is killed in the midst of
// it and comes back. Nothing that it acknowledged is lost: no booking, no hold. The race
// goes on, and in the end every seat is sold, each once.
func TestRaceForEverySeatOutlivesAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir, "--max-holds-per-user", "300")
	train := createAdmin(t, dir, first.url).addTrain(t, raceSeats)
	runners := enter(t, first.url)

	var confirmed atomic.Int64
	raceAll(runners, train, func() {
		if confirmed.Add(1) == killedWhen {
			first.kill()
		}
	})
	requireNothingWrong(t, runners)
	require.GreaterOrEqual(t, confirmed.Load(), int64(killedWhen))
	require.Less(t, confirmed.Load(), int64(raceSeats), "the kill came before the end")

	second := start(t, dir, "--max-holds-per-user", "300")
	for _, r := range runners {
		r.client = r.at(second.url)
	}
	requireAcknowledgedKept(t, runners, train)
	raceAll(runners, train, func() {})
	requireNothingWrong(t, runners)
	requireAllSoldOnce(t, runners, train)
	second.stop()

	third := start(t, dir)
	for _, r := range runners {
		r.client = r.at(third.url)
	}
	requireAllSoldOnce(t, runners, train)
}

func requireNothingWrong(t *testing.T, runners []*racer) {
	t.Helper()
	for _, r := range runners {
		require.Empty(t, r.wrong, r.name)
	}
}

// requireAcknowledgedKept looks for every booking, and then confirms every hold: where
// the kill cut off the answer, the seat may be held or booked, but is its user's.
func requireAcknowledgedKept(t *testing.T, runners []*racer, train string) {
	t.Helper()
	held := 0
	for i, r := range runners {
		seats := r.bookedSeats(t)
		for seat := range r.booked {
			require.Contains(t, seats, seat, "an acknowledged booking of %s is lost", r.name)
		}
		other := runners[(i+racers)%len(runners)] // of another user
		for seat, lock := range r.held {
			held++
			refused, err := other.lock(train, seat)
			require.NoError(t, err)
			require.Equal(t, http.StatusConflict, refused.status, "a hold of %s is lost: %s", r.name, refused)
			confirm := r.must(t, http.StatusOK, "POST", "/train/confirm-booking/",
				object{"seat_id": lock.SeatID, "hold_id": lock.HoldID})
			r.booked[seat] = confirm.BookingID
		}
		clear(r.held)
	}
	t.Logf("%d holds were acknowledged and not yet confirmed at the kill", held)
}

// requireAllSoldOnce compares what each racer was told with what the service says now.
func requireAllSoldOnce(t *testing.T, runners []*racer, train string) {
	t.Helper()
	var sold []int
	for i, r := range runners {
		seats := r.bookedSeats(t)
		for seat := range r.booked {
			require.Contains(t, seats, seat, "an acknowledged booking of %s is lost", r.name)
		}
		if i%racers == 0 {
			sold = append(sold, seats...)
		}
	}
	slices.Sort(sold)
	require.Len(t, sold, raceSeats)
	require.Len(t, slices.Compact(sold), raceSeats, "no seat twice")
	state := runners[0].must(t, http.StatusOK, "GET", "/v1/trains/"+train, nil)
	require.Equal(t, []int{raceSeats, 0, 0}, []int{state.Booked, state.Held, state.Available})
}
