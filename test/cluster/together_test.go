package cluster_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/test/processtest"
	"trainbooking.dev/test/traffic"
)

func TestRaceForEverySeatThroughThreeProcessesSellsEachOnce(t *testing.T) {
	t.Parallel()
	const seats = 300
	c := startCluster(t, 3, "--max-holds-per-user", "300")
	race := traffic.Start(t.Context(), traffic.Options{
		Service: c.service, Users: processtest.NewUsers(25), Clients: 4, Trains: c.admin.AddTrains(t, 1, seats),
	}, traffic.Race)
	race.Wait()
	for _, n := range c.nodes { // each lists the same bookings
		stored := processtest.ListedBookings(t, c.serviceAt(n.URL), race.History().Trains())
		require.Len(t, stored, seats)
		processtest.RequireConsistent(t, race, c.service, stored)
	}
	c.requireAllRunning()
}

func TestReadmeTourWorksThroughThreeProcesses(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 3, "--demo")
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	processtest.TakeTour(t, string(readme), c.url)
	found := c.admin.Must(t, http.StatusOK, "GET", "/v1/trains", nil)
	require.Equal(t, 6, strings.Count(string(found.Body), `"name"`), "the processes add them once")
}

// A change that one process has acknowledged is visible through the others, for every kind of
// change of a train and from each process in turn.
func TestTrainChangedThroughOneProcessIsSeenThroughEveryOther(t *testing.T) {
	t.Parallel()
	const rounds = 30
	c := startCluster(t, 3)
	user := processtest.SignUp(t, c.url, "asha")
	for round := range rounds {
		writer := c.nodes[round%len(c.nodes)]
		others := c.others(writer)
		admin := c.admin.At(writer.URL)
		from, to, further := fmt.Sprint("From ", round), fmt.Sprint("To ", round), fmt.Sprint("Further ", round)
		draft := func(capacity int, stations ...string) map[string]any {
			stops := []map[string]any{}
			for _, station := range stations {
				stops = append(stops, map[string]any{"station": station})
			}
			return map[string]any{"name": "Express", "capacity": capacity, "stops": stops}
		}

		train := admin.Must(t, http.StatusOK, "POST", "/train/add-train/", map[string]any{
			"train_name": "Express", "source": from, "destination": to, "train_capacity": 2,
		}).TrainID
		for _, other := range others {
			require.Equal(t, []string{train}, search(t, other, from, to), "added through another process, round %d", round)
		}

		admin.Must(t, http.StatusOK, "PUT", "/v1/trains/"+train, draft(3, from, further))
		for _, other := range others {
			require.Empty(t, search(t, other, from, to), "it does not stop there now, round %d", round)
			require.Equal(t, []string{train}, search(t, other, from, further), "round %d", round)
			state := user.At(other.URL).Must(t, http.StatusOK, "GET", "/v1/trains/"+train, nil)
			require.Equal(t, []int{3, 3}, []int{state.Capacity, state.Available}, "round %d", round)
		}

		for i, other := range slices.Concat(others, []*node{writer}) { // the third seat is new
			user.At(other.URL).MustLock(t, http.StatusOK, train, i+1)
			for _, n := range c.nodes {
				require.Len(t, free(t, n, from, further), 3-(i+1), "locked through another process, round %d", round)
			}
		}
		admin.Must(t, http.StatusNoContent, "DELETE", "/v1/trains/"+train, nil)
		for _, other := range others {
			require.Empty(t, search(t, other, from, further), "deleted, round %d", round)
			user.At(other.URL).Must(t, http.StatusNotFound, "GET", "/v1/trains/"+train, nil)
			user.At(other.URL).MustLock(t, http.StatusNotFound, train, 1)
		}
	}
	c.requireAllRunning()
}

// foundTrain is a train that a search finds.
type foundTrain struct {
	ID    string `json:"train_id"`
	Seats []int  `json:"seat_available"`
}

// find returns the trains that a process finds.
func find(t *testing.T, n *node, from, to string) (trains []foundTrain) {
	t.Helper()
	query := url.Values{"source": {from}, "destination": {to}}
	found := processtest.NewClient(n.URL).Must(t, http.StatusOK, "GET", "/train/get-trains/?"+query.Encode(), nil)
	require.NoError(t, json.Unmarshal(found.Body, &trains))
	return trains
}

// search returns the ids of the trains that a process finds.
func search(t *testing.T, n *node, from, to string) (ids []string) {
	t.Helper()
	for _, train := range find(t, n, from, to) {
		ids = append(ids, train.ID)
	}
	return ids
}

// free returns the available seats of the only train that a process finds.
func free(t *testing.T, n *node, from, to string) []int {
	t.Helper()
	trains := find(t, n, from, to)
	require.Len(t, trains, 1)
	return trains[0].Seats
}

func TestRollingRestartUnderLoadFailsNoRequest(t *testing.T) {
	t.Parallel()
	const stopTime = 5 * time.Second // includes one of --shutdown-delay
	c := startCluster(t, 3)
	l := c.startLoad(c.admin.AddTrains(t, 12, 400), 400)
	l.awaitSales(50)
	// First under the same address, as on a host, then under a new one, as with pods.
	for round := range 2 {
		for _, n := range slices.Clone(c.nodes) {
			begun := time.Now()
			n.Stop()
			stopped := time.Now()
			c.remove(n)
			address := n.address
			if round == 1 {
				address = processtest.FreeAddress(t)
			}
			c.start(address)
			t.Logf("stopped in %s, started in %s", stopped.Sub(begun).Round(time.Millisecond), time.Since(stopped).Round(time.Millisecond))
			require.Less(t, stopped.Sub(begun), stopTime)
			l.awaitSales(20)
			l.requireNoFailure()
		}
	}
	l.finish()
	l.requireNoFailure()
	c.requireAllRunning()
}

func TestFourthProcessGetsItsShareUnderLoad(t *testing.T) {
	t.Parallel()
	const (
		count = 120
		// share is half of the average share. The distribution is random, and in one of two
		// thousand runs the fourth process gets less.
		share = count / 4 / 2
		limit = 30 * time.Second
	)
	c := startCluster(t, 3)
	trains := c.admin.AddTrains(t, count, 40)
	tr := traffic.New(traffic.Options{Service: c.service, Trains: trains})
	c.hold(tr.Client(0, uuid.New()), trains, 40) // every train has an owner
	l := c.startLoad(trains, 36)
	l.awaitSales(50)

	begun := time.Now()
	fourth := c.start(processtest.FreeAddress(t))
	await(t, limit, func() bool { return fourth.metric(t, "trainbooking_trains_owned") >= share }, "the fourth process has its share")
	t.Logf("the fourth process has %v of %d trains %s after its start",
		fourth.metric(t, "trainbooking_trains_owned"), count, time.Since(begun).Round(10*time.Millisecond))
	l.awaitSales(50)
	l.finish()
	l.requireNoFailure()

	for _, train := range trains { // whether or not a process owns it
		seats, err := c.service.SeatMap(t.Context(), train.ID, "", "")
		require.NoError(t, err)
		require.Equal(t, booking.SeatHeld, seats[40-1].State)
	}
	c.requireAllRunning()
}
