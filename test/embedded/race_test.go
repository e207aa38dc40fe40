package embedded_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

const killedWhen = 90 // seats are booked

// A hundred clients race for three hundred seats, the service is killed in the midst of
// it and comes back. Nothing that it acknowledged is lost: no booking, no hold. The race
// goes on, and in the end every seat is sold, each once.
func TestRaceForEverySeatOutlivesAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir, "--max-holds-per-user", "300")
	train := createAdmin(t, dir, first.URL).AddTrain(t, processtest.RaceSeats)
	racers := processtest.Enter(t, first.URL)

	var confirmed atomic.Int64
	processtest.RaceAll(racers, train, func() {
		if confirmed.Add(1) == killedWhen {
			first.Kill()
		}
	})
	processtest.RequireNothingWrong(t, racers)
	require.GreaterOrEqual(t, confirmed.Load(), int64(killedWhen))
	require.Less(t, confirmed.Load(), int64(processtest.RaceSeats), "the kill came before the end")

	second := start(t, dir, "--max-holds-per-user", "300")
	askAll(racers, second.URL)
	requireAcknowledgedKept(t, racers, train)
	processtest.RaceAll(racers, train, func() {})
	processtest.RequireNothingWrong(t, racers)
	processtest.RequireAllSoldOnce(t, racers, train)
	second.Stop()

	third := start(t, dir)
	askAll(racers, third.URL)
	processtest.RequireAllSoldOnce(t, racers, train)
}

func askAll(racers []*processtest.Racer, url string) {
	for _, r := range racers {
		r.Client = r.At(url)
	}
}

// requireAcknowledgedKept looks for every booking, and then confirms every hold: where
// the kill cut off the answer, the seat may be held or booked, but is its user's.
func requireAcknowledgedKept(t *testing.T, racers []*processtest.Racer, train string) {
	t.Helper()
	held := 0
	for i, r := range racers {
		seats := r.BookedSeats(t)
		for seat := range r.Booked {
			require.Contains(t, seats, seat, "an acknowledged booking of %s is lost", r.Name)
		}
		other := racers[(i+processtest.RacersEach)%len(racers)] // of another user
		for seat, lock := range r.Held {
			held++
			refused, err := other.Lock(train, seat)
			require.NoError(t, err)
			require.Equal(t, http.StatusConflict, refused.Status, "a hold of %s is lost: %s", r.Name, refused)
			confirm := r.Must(t, http.StatusOK, "POST", "/train/confirm-booking/",
				object{"seat_id": lock.SeatID, "hold_id": lock.HoldID})
			r.Booked[seat] = confirm.BookingID
		}
		clear(r.Held)
	}
	t.Logf("%d holds were acknowledged and not yet confirmed at the kill", held)
}
