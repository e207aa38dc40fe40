package cluster_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A process that cannot reach Redis sells while its leases last and no longer, says so,
// and others serve its trains.
func TestProcessCutFromRedisStopsSellingAndOthersTakeOver(t *testing.T) {
	t.Parallel()
	const cutFor = 20 * time.Second
	c := startCluster(t, 2)
	l := newLink(t, c.redis)
	cut := c.startOn(freeAddress(t), l.address)
	users := c.signUp("asha", "ravi")
	asha, ravi := users[0], users[1]
	trains := c.addTrains(16, 2000)
	held := c.lock(asha, trains, 1)
	its := c.ownedBy(cut, trains)
	require.NotEmpty(t, its)

	l.set(true)
	began := time.Now()
	sales := sellUntil(ravi.At(cut.URL), its, began.Add(cutFor))
	gaps := c.awaitServed(asha, its, 1, held, began)
	t.Logf("%d trains were without an owner for %v", len(its), gaps)
	var attempts []attempt
	for a := range sales {
		attempts = append(attempts, a)
	}
	require.False(t, cut.backend.ready.Load(), "it is not ready")
	l.set(false)
	healed := time.Now()
	select { // its peers have gone on without it
	case <-cut.Exited():
		require.Equal(t, 3, cut.Wait(), "%s", cut.Log)
		c.forget(cut)
	case <-time.After(recovery):
		require.True(t, cut.backend.ready.Load(), "it is ready again, or has made way for a new one")
	}
	t.Logf("it ended, or was ready, %s after Redis was there again", time.Since(healed).Round(time.Millisecond))

	sold := requireStopped(t, attempts, began)
	for _, train := range its {
		confirm := asha.Must(t, http.StatusOK, "POST", "/train/confirm-booking/", object{"seat_id": held[train].SeatID})
		sold[confirm.BookingID] = sale{place{train, 1}, "asha"}
	}
	c.requireBooked(t, its, sold, "asha", "ravi")
	for _, gap := range gaps {
		require.Less(t, gap, takeover)
	}
	c.requireAllRun()
}

// attempt is a request to the process that is cut off.
type attempt struct {
	at       place
	what     string
	sent     time.Time
	answered time.Time
	reply    *reply
	err      error
}

// sellUntil takes one seat after the other of each train until a time.
func sellUntil(user *client, trains []string, end time.Time) <-chan attempt {
	attempts := make(chan attempt, 1<<16)
	var selling sync.WaitGroup
	for _, train := range trains {
		selling.Go(func() {
			for seat := 2; time.Now().Before(end); seat++ {
				a := attempt{at: place{train, seat}, what: "lock", sent: time.Now()}
				a.reply, a.err = user.Lock(train, seat)
				a.answered = time.Now()
				attempts <- a
				if a.err == nil && a.reply.Status == http.StatusOK {
					seat := a.reply.SeatID
					a.what, a.sent = "confirm", time.Now()
					a.reply, a.err = user.Confirm(seat)
					a.answered = time.Now()
					attempts <- a
				}
				<-time.After(5 * pollTime)
			}
		})
	}
	go func() {
		selling.Wait()
		close(attempts)
	}()
	return attempts
}

// requireStopped fails the test if anything was sold when the leases were over, or an
// answer leaves open whether it was. It returns what was sold before.
func requireStopped(t *testing.T, attempts []attempt, began time.Time) map[string]sale {
	t.Helper()
	const (
		life   = 6 * time.Second // of a lease; its owner stops a second before
		answer = 2 * time.Second // for what came before, and is refused then
	)
	sold := map[string]sale{}
	var last time.Duration
	for _, a := range attempts {
		require.NoError(t, a.err, a.what)
		sent, answered := a.sent.Sub(began), a.answered.Sub(began)
		if a.reply.Status == http.StatusOK {
			require.Less(t, answered, life, "%s: %s", a.what, a.reply)
			last = max(last, answered)
			if a.what == "confirm" {
				sold[a.reply.BookingID] = sale{a.at, "ravi"}
			}
		}
		if sent > life {
			require.Equal(t, http.StatusServiceUnavailable, a.reply.Status, "%s after %s: %s", a.what, sent, a.reply)
			require.Equal(t, "not_executed", a.reply.Outcome, "%s after %s: %s", a.what, sent, a.reply)
			require.Less(t, answered-sent, answer, "%s after %s: %s", a.what, sent, a.reply)
		}
	}
	require.NotZero(t, last, "it sold nothing at all")
	t.Logf("%d requests; it sold %d seats and the last answer of that came after %s", len(attempts), len(sold), last.Round(time.Millisecond))
	return sold
}
