package cluster_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// addBookings adds the live bookings of a train, as an admin sees them, and checks that
// the train's own figures agree with them.
func (c *cluster) addBookings(found map[string]sale, train string) {
	c.t.Helper()
	names := c.userNames()
	seats := 0
	type shown struct {
		BookingID string `json:"booking_id"`
		UserID    string `json:"user_id"`
		Seats     []struct {
			Number int `json:"seat_number"`
		} `json:"seats"`
	}
	eachPage(c, "/v1/trains/"+train+"/bookings", func(b shown) {
		require.Len(c.t, b.Seats, 1)
		require.Contains(c.t, names, b.UserID)
		found[b.BookingID] = sale{place{train, b.Seats[0].Number}, names[b.UserID]}
		seats++
	})
	state := c.admin.Must(c.t, http.StatusOK, "GET", "/v1/trains/"+train, nil)
	require.Equal(c.t, seats, state.Booked, "the figures of %s", train)
	require.Equal(c.t, state.Capacity, state.Booked+state.Held+state.Available)
}

// requireBooked compares the live bookings of some users on trains with those that there
// must be, by id. Bookings of others may be there too, but no seat twice.
func (c *cluster) requireBooked(t *testing.T, trains []string, want map[string]sale, users ...string) {
	t.Helper()
	found := map[string]sale{}
	for _, train := range trains {
		c.addBookings(found, train)
	}
	requireNoSeatTwice(t, found)
	maps.DeleteFunc(found, func(_ string, s sale) bool { return !slices.Contains(users, s.user) })
	require.Equal(t, want, found)
}

// userNames returns the names of all users by id.
func (c *cluster) userNames() map[string]string {
	c.t.Helper()
	names := map[string]string{}
	eachPage(c, "/v1/users", func(u struct{ ID, Username string }) { names[u.ID] = u.Username })
	return names
}

// eachPage calls a function for each item of a list that an admin may see.
func eachPage[Item any](c *cluster, path string, do func(Item)) {
	c.t.Helper()
	for cursor := ""; ; {
		var page struct {
			Items []Item
			Next  string `json:"next_cursor"`
		}
		answer := c.admin.Must(c.t, http.StatusOK, "GET", path+"?limit=1000"+cursor, nil)
		require.NoError(c.t, json.Unmarshal(answer.Body, &page))
		for _, item := range page.Items {
			do(item)
		}
		if page.Next == "" {
			return
		}
		cursor = "&cursor=" + url.QueryEscape(page.Next)
	}
}
