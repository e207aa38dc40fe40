package sqlite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/sqlite"
)

// TestQueriesReadOnlyWhatTheyNeed compares the plans, so that no query reads all that a train or a
// user ever had, or sorts it.
func TestQueriesReadOnlyWhatTheyNeed(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	for name, c := range map[string]struct {
		parameters int
		plan       []string
	}{
		"findLive":            {1, []string{"SEARCH bookings USING INDEX bookings_of_train (train_id=?)"}},
		"findCancelledOfUser": {3, []string{"SEARCH bookings USING INDEX bookings_cancelled_of_user (train_id=? AND user_id=? AND cancelled_at>?)"}},
		"findBooking":         {1, []string{"SEARCH bookings USING PRIMARY KEY (id=?)"}},
		"findOldestOfUser":    {4, []string{"SEARCH bookings USING INDEX bookings_of_user (user_id=? AND (booked_at,id)>(?,?))"}},
		"findNewestOfUser":    {4, []string{"SEARCH bookings USING INDEX bookings_of_user (user_id=? AND (booked_at,id)<(?,?))"}},
		"findCancelled": {1, []string{
			"SEARCH bookings USING PRIMARY KEY (id=?)", "LIST SUBQUERY 1", "SCAN json_each VIRTUAL TABLE INDEX 1:",
		}},
		"findSeats": {1, []string{"SEARCH seats USING PRIMARY KEY (train_id=?)"}},
		"findSeatsOf": {1, []string{
			"SCAN json_each VIRTUAL TABLE INDEX 1:", "CORRELATED SCALAR SUBQUERY 1", "SEARCH seats USING PRIMARY KEY (train_id=?)",
			"USE TEMP B-TREE FOR ORDER BY",
		}},
		"loadHolds": {2, []string{
			"SCAN json_each VIRTUAL TABLE INDEX 1:", "SEARCH holds USING INDEX holds_live (train_id=? AND expires_at>?)",
		}},
		"userHolds": {4, []string{"SEARCH holds USING INDEX holds_of_user (train_id=? AND user_id=? AND expires_at>?)"}},
		"trimHolds": {4, []string{
			"SEARCH holds USING PRIMARY KEY (train_id=? AND id=?)", "LIST SUBQUERY 1",
			"SEARCH holds USING COVERING INDEX holds_of_user (train_id=? AND user_id=?)",
		}},
	} {
		plan, err := db.Plan(t.Context(), sqlite.Queries[name], c.parameters)
		require.NoError(t, err, name)
		require.Equal(t, c.plan, plan, name)
	}
}
