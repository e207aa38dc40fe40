package cluster_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

// A process that cannot reach Redis sells while its leases last and no longer, says so,
// and others serve its trains.
func TestProcessCutFromRedisStopsSellingAndOthersTakeOver(t *testing.T) {
	t.Parallel()
	const cutFor = 20 * time.Second
	c := startCluster(t, 2)
	l := processtest.NewLink(t, "tcp", c.redis)
	cut := c.startOn(processtest.FreeAddress(t), l.Address)
	users := c.signUp("asha", "ravi", "meena")
	asha, ravi, meena := users[0], users[1], users[2]
	trains := c.addTrains(16, 2000)
	held := c.lock(asha, trains, 1)
	its := c.ownedBy(cut, trains)
	require.NotEmpty(t, its)

	hers := c.lock(ravi, its, 2)

	l.Cut()
	began := time.Now()
	sold := map[string]sale{}
	for _, train := range its { // that needs no Redis
		confirm := ravi.At(cut.URL).Must(t, http.StatusOK, "POST", "/train/confirm-booking/", object{"seat_id": hers[train].SeatID})
		sold[confirm.BookingID] = sale{place{train, 2}, "ravi"}
	}
	through := sellUntil(ravi.At(cut.URL), its, 3, began.Add(cutFor))
	around := sellUntil(meena, its, 1000, began.Add(cutFor))
	attempts, others := collect(through), collect(around)
	require.False(t, cut.backend.Ready(), "it is not ready")
	l.Join()
	healed := time.Now()
	select { // its peers have gone on without it
	case <-cut.Exited():
		require.Equal(t, 3, cut.Wait(), "%s", cut.Log)
		c.forget(cut)
	case <-time.After(recovery):
		require.True(t, cut.backend.Ready(), "it is ready again, or has made way for a new one")
	}
	t.Logf("it ended, or was ready, %s after Redis was there again", time.Since(healed).Round(time.Millisecond))

	maps.Copy(sold, requireStopped(t, attempts, began))
	requireServed(t, others, its, began)
	for _, train := range its {
		confirm := asha.Must(t, http.StatusOK, "POST", "/train/confirm-booking/", object{"seat_id": held[train].SeatID})
		sold[confirm.BookingID] = sale{place{train, 1}, "asha"}
	}
	c.requireBooked(t, its, sold, "asha", "ravi")
	c.requireAllRun()
}

// attempt is a request, and how it was answered.
type attempt struct {
	at       place
	what     string
	sent     time.Time
	answered time.Time
	reply    *reply
	err      error
}

// sellUntil takes one seat after the other of each train, from the first, until a time.
func sellUntil(user *client, trains []string, first int, end time.Time) <-chan attempt {
	attempts := make(chan attempt, 1<<16)
	var selling sync.WaitGroup
	for _, train := range trains {
		selling.Go(func() {
			for seat := first; time.Now().Before(end); seat++ {
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

func collect(attempts <-chan attempt) (all []attempt) {
	for a := range attempts {
		all = append(all, a)
	}
	return all
}

// requireStopped fails the test if anything was sold when the leases were over, or an
// answer leaves open whether it was. It returns what was sold before.
func requireStopped(t *testing.T, attempts []attempt, began time.Time) map[string]sale {
	t.Helper()
	const life = 6 * time.Second // of a lease; its owner stops a second before
	sold := map[string]sale{}
	var last time.Duration
	var wrong []string
	for _, a := range attempts {
		require.NoError(t, a.err, a.what)
		sent, answered := a.sent.Sub(began), a.answered.Sub(began)
		switch {
		case a.reply.Status == http.StatusOK:
			require.Less(t, answered, life, "%s: %s", a.what, a.reply)
			last = max(last, answered)
			if a.what == "confirm" {
				sold[a.reply.BookingID] = sale{a.at, "ravi"}
			}
		case sent > life && (a.reply.Status != http.StatusServiceUnavailable || a.reply.Outcome != "not_executed"):
			wrong = append(wrong, fmt.Sprintf("%s at %s, for %s: %s", a.what, sent, answered-sent, a.reply))
		}
	}
	t.Logf("%d requests; it sold %d seats and the last answer of that came after %s", len(attempts), len(sold), last.Round(time.Millisecond))
	require.Empty(t, wrong[:min(5, len(wrong))], "%d answers are not 503 not_executed", len(wrong))
	return sold
}

// requireServed fails the test if a train sold nothing for longer than a takeover takes.
func requireServed(t *testing.T, attempts []attempt, trains []string, began time.Time) {
	t.Helper()
	last, longest := map[string]time.Time{}, map[string]time.Duration{}
	for _, train := range trains {
		last[train] = began
	}
	for _, a := range attempts {
		if train := a.at.train; a.err == nil && a.reply.Status == http.StatusOK {
			longest[train] = max(longest[train], a.answered.Sub(last[train]))
			last[train] = a.answered
		}
	}
	t.Logf("the longest time without a sale, by train: %v", slices.Sorted(maps.Values(longest)))
	for _, train := range trains {
		require.Less(t, longest[train], takeover, train)
		require.WithinDuration(t, attempts[len(attempts)-1].answered, last[train], time.Second, "it sells in the end")
	}
}
