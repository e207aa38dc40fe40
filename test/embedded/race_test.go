package embedded_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
	"trainbooking.dev/test/traffic"
)

// A hundred clients race for three hundred seats. The service is killed during the race and
// started again, and the clients repeat the requests that got no response. No acknowledged
// booking or hold is lost, and every seat is sold once.
func TestRaceForEverySeatSurvivesAKill(t *testing.T) {
	t.Parallel()
	const (
		seats      = 300
		killedWhen = 90 // seats are booked
	)
	dir := t.TempDir()
	balancer := processtest.NewBalancer(t)
	first := start(t, dir, "--max-holds-per-user", "300")
	backend := balancer.Add(first.URL)
	admin := createAdmin(t, dir, first.URL)
	trains := admin.AddTrains(t, 1, seats)
	service := processtest.Passengers(t, balancer.URL, filepath.Join(dir, "jwt-secret"), admin)
	race := traffic.Start(t.Context(), traffic.Options{
		Service: service, Users: processtest.NewUsers(25), Clients: 4, Trains: trains,
	}, traffic.Race)

	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	require.NoError(t, race.AwaitBookings(ctx, killedWhen))
	first.Kill()
	require.Less(t, race.Bookings(), seats, "the race was over before the kill")
	balancer.Remove(backend)
	second := start(t, dir, "--max-holds-per-user", "300")
	backend = balancer.Add(second.URL)
	race.Wait()
	second.Stop()

	balancer.Remove(backend)
	third := start(t, dir)
	require.Eventually(t, balancer.Add(third.URL).Ready, timeout, 50*time.Millisecond)
	stored := processtest.ListedBookings(t, service, race.History().Trains())
	require.Len(t, stored, seats)
	processtest.RequireConsistent(t, race, service, stored)
}
