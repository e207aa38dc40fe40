package api_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
)

func TestOnlyLongListsWaitForEachOther(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "alice")
	train := s.train(t, "A", "B")
	for range booking.DefaultPageLimit {
		s.train(t, "A", "B")
	}
	large := s.largeTrain(t)
	long := []string{"/v1/trains?limit=1000", "/v1/trains/" + large.String() + "/seats"}
	end := s.server.EncodeLists()
	for _, path := range long {
		r := s.get(t, "", path)
		requireProblem(t, 503, booking.CodeUnavailable, "", r)
		require.Equal(t, "not_executed", r.str(t, "outcome"))
		require.Equal(t, "1", r.header.Get("Retry-After"))
	}
	for _, path := range []string{"/v1/trains", "/v1/bookings", "/v1/trains/" + train.String()} {
		require.Equal(t, 200, s.get(t, token, path).status, path)
	}
	s.lock(t, token, train, "1")
	end()
	for _, path := range long {
		require.Equal(t, 200, s.get(t, "", path).status, path)
	}
}

// Every 32 items, an encoder may rest.
func TestLongListIsEncodedInTurns(t *testing.T) {
	t.Parallel()
	for items, turns := range map[int]int{0: 0, 31: 0, 32: 1, 100: 3, 1000: 31} {
		require.Equal(t, turns, api.TurnsOf(items), "%d items", items)
	}
}

// largeTrain creates a train with more seats than a list that needs no slot.
func (s *testServer) largeTrain(tb testing.TB) booking.TrainID {
	tb.Helper()
	train, err := s.trains.CreateTrain(tb.Context(), booking.Train{
		Name: "Rajdhani", Capacity: booking.DefaultPageLimit + 1, OnSale: true,
		Stops: []booking.Stop{{Station: "A"}, {Station: "B"}},
	})
	require.NoError(tb, err)
	return train.ID
}

// partialLists is the real service, but its lists of trains are incomplete.
type partialLists struct{ booking.Service }

func (p partialLists) ListTrains(ctx context.Context, query booking.TrainQuery) (booking.Page[booking.Availability], error) {
	page, err := p.Service.ListTrains(ctx, query)
	page.Incomplete = true
	return page, err
}

func TestIncompleteListIsMarked(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, wrapped(func(real booking.Service) booking.Service { return partialLists{real} }))
	s.train(t, "A", "B")
	require.Equal(t, true, s.get(t, "", "/v1/trains").field(t, "incomplete"))
}
