package api_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
)

func TestARepeatedSearchIsAnsweredFromTheFirst(t *testing.T) {
	t.Parallel()
	var searches atomic.Int64
	s := newTestServer(t, searchFails(func(context.Context) error {
		searches.Add(1)
		return nil
	}))
	id := s.train(t, "Delhi", "Mumbai")
	token := s.user(t, "asha")
	search := func(text, query string) {
		t.Helper()
		r := s.get(t, "", "/train/get-trains/?"+query)
		require.Equal(t, 200, r.status, r.text)
		require.Contains(t, r.text, text)
	}
	const query = "source=Delhi&destination=Mumbai"
	for range 5 {
		search(`"seat_available":[1,2,3,4,5,6,7,8,9,10]`, query)
	}
	// The first and the last of them may be more than a second apart, if the machine is busy.
	require.Less(t, searches.Load(), int64(5))

	require.Equal(t, 200, s.lock(t, token, id, "3").status)
	search(`"seat_available":[1,2,4,5,6,7,8,9,10]`, query)
	search(`[]`, "source=Mumbai&destination=Delhi")
	r := s.do(t, request{method: "GET", path: "/train/get-trains/?" + query, body: `{"date":"2026-13-01"}`})
	require.Equal(t, 400, r.status, "a search with a body is another one")
}

func TestASearchFindsEarlierLocksOfItsClient(t *testing.T) {
	t.Parallel()
	const clients, each = 8, 50
	s := newTestServer(t, func(_ *api.Options, rules *booking.HoldRules) { rules.MaxSeats = each })
	id := booking.NewTrainID()
	_, _, err := s.trains.PutTrain(t.Context(), booking.Train{
		ID: id, Name: "Express", Capacity: clients * each, OnSale: true, Stops: []booking.Stop{{Station: "Delhi"}, {Station: "Mumbai"}},
	})
	require.NoError(t, err)
	var group errgroup.Group
	for client := range clients {
		token := s.user(t, fmt.Sprint("asha", client))
		group.Go(func() error {
			for n := range each {
				seat := fmt.Sprint(client*each + n + 1)
				if r := s.lock(t, token, id, seat); r.status != 200 {
					return fmt.Errorf("lock: %s", r.text)
				}
				trains := s.get(t, "", "/train/get-trains/?source=Delhi&destination=Mumbai").json.([]any)
				for _, free := range trains[0].(map[string]any)["seat_available"].([]any) {
					if fmt.Sprint(free) == seat {
						return fmt.Errorf("%s is available after it was locked", seat)
					}
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
}

func TestKeptSearchesTakeLittleMemoryAndEndAfterASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var k api.KeptSearches
		query := func(i int) string { return fmt.Sprintf("source=A&destination=%d", i) }
		k.Keep(query(0), make([]byte, api.MaxKeptSearch))
		require.Nil(t, k.Find(query(0)), "it is too long")
		const size, all = 50_000, 1000
		for i := range all {
			for range 2 { // the second replaces the first
				k.Keep(query(i), make([]byte, size))
			}
		}
		kept := 0
		for i := range all {
			kept += len(k.Find(query(i)))
		}
		require.LessOrEqual(t, kept, api.MaxKept)
		require.Greater(t, kept, api.MaxKept*9/10)
		require.NotNil(t, k.Find(query(0)))

		<-time.After(time.Second)
		k.Keep(query(all), make([]byte, size))
		require.NotNil(t, k.Find(query(all)), "there is room again")
		require.Nil(t, k.Find(query(0)))
	})
}
