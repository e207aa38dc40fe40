package page_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
)

const (
	live   = "document.querySelector('.connection.live')"
	broken = "net::ERR_" // what the console says about a connection
)

func TestMapRecoversFromAKilledProcess(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), processtest.FreeAddress(t)
	s := serveIn(t, dir, "--listen", address)
	train := s.train("Jaipur", "Mumbai", "Duranto Express")
	asha := processtest.SignUp(t, s.URL, "asha")
	b := open(t, s.URL)
	b.visit("/trains/" + train)
	b.await(live)
	b.mark()
	asha.MustLock(t, http.StatusOK, train, 3)
	b.awaitSeat(3, "held")

	b.expect(broken)
	s.Kill()
	b.await("!" + live)
	serveIn(t, dir, "--listen", address)
	asha.MustLock(t, http.StatusOK, train, 4)
	b.awaitSeat(4, "held")
	b.await(live)
	asha.MustLock(t, http.StatusOK, train, 2)
	b.awaitSeat(2, "held")
	b.awaitSeat(3, "held")
	b.requireSameDocument()
}

// The process that is killed owns the train and has the connection of the page.
func TestMapFollowsItsTrainToAnotherProcess(t *testing.T) {
	t.Parallel()
	database, redis := servers.Postgres(t), servers.Redis(t)
	secret := processtest.TempFile(t, strings.Repeat("the secret of a test ", 3))
	balancer := processtest.NewBalancer(t)
	start := func() *processtest.Server {
		s := processtest.Start(t, "--database-url", database, "--redis-url", "redis://"+redis, "--jwt-secret-file", secret,
			"--advertise", processtest.FreeAddress(t))
		backend := balancer.Add(s.URL)
		for begun := time.Now(); !backend.Ready(); <-time.After(pollTime) {
			require.Less(t, time.Since(begun), timeout, "the process is not ready")
		}
		return s
	}
	first := start()
	train := processtest.CreateAdmin(t, balancer.URL, "--database-url", database).AddTrain(t, 12)
	asha := processtest.SignUp(t, balancer.URL, "asha")
	b := open(t, balancer.URL)
	b.visit("/trains/" + train)
	b.await(live)
	b.mark()
	asha.MustLock(t, http.StatusOK, train, 3)
	b.awaitSeat(3, "held")

	start()
	b.expect(broken)
	b.expect("503 (Service Unavailable)")
	b.expect("502 (Bad Gateway)")
	first.Kill()
	for begun := time.Now(); ; <-time.After(pollTime) {
		locked, err := asha.Lock(train, 4)
		require.NoError(t, err)
		if locked.Status == http.StatusOK {
			break
		}
		require.Less(t, time.Since(begun), timeout, "no process serves the train: %s", locked)
	}
	b.awaitSeat(4, "held")
	b.await(live)
	b.awaitSeat(3, "held")
	b.requireSameDocument()
}
