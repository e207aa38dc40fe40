package sqlite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/sqlite"
)

// TestQueriesReadOnlyWhatTheyNeed compares the plans, so that no query reads all that a train or a
// user ever had. What is sorted is what a user had on a train within an hour.
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
		"findBookings": {1, []string{
			"SEARCH bookings USING PRIMARY KEY (id=?)", "LIST SUBQUERY 1", "SCAN json_each VIRTUAL TABLE INDEX 1:",
		}},
		"findOldestOfUser":    {4, []string{"SEARCH bookings USING INDEX bookings_of_user (user_id=? AND (booked_at,id)>(?,?))"}},
		"findNewestOfUser":    {4, []string{"SEARCH bookings USING INDEX bookings_of_user (user_id=? AND (booked_at,id)<(?,?))"}},
		"findOldestCancelled": {4, []string{"SEARCH bookings USING INDEX bookings_of_user_cancelled (user_id=? AND (booked_at,id)>(?,?))"}},
		"findNewestCancelled": {4, []string{"SEARCH bookings USING INDEX bookings_of_user_cancelled (user_id=? AND (booked_at,id)<(?,?))"}},
		"findOfTrain":         {4, []string{"SEARCH bookings USING INDEX bookings_of_train (train_id=? AND (booked_at,id)>(?,?))"}},
		"findCancelledOfTrain": {4, []string{
			"SEARCH bookings USING INDEX bookings_of_train_cancelled (train_id=? AND (booked_at,id)>(?,?))",
		}},
		"findFormerTrain": {2, []string{"SEARCH former_trains USING INDEX sqlite_autoindex_former_trains_1 (train_id=? AND revision=?)"}},
		"findCancelled": {1, []string{
			"SEARCH bookings USING PRIMARY KEY (id=?)", "LIST SUBQUERY 1", "SCAN json_each VIRTUAL TABLE INDEX 1:",
		}},
		"findSeats": {1, []string{"SEARCH seats USING PRIMARY KEY (train_id=?)"}},
		"findSeatsOf": {1, []string{
			"SCAN json_each VIRTUAL TABLE INDEX 1:", "CORRELATED SCALAR SUBQUERY 1", "SEARCH seats USING PRIMARY KEY (train_id=?)",
			"USE TEMP B-TREE FOR ORDER BY",
		}},
		"loadHolds": {2, []string{
			"SCAN json_each VIRTUAL TABLE INDEX 1:", "SEARCH holds USING PRIMARY KEY (train_id=?)",
		}},
		"userHolds": {4, []string{
			"MERGE (UNION ALL)",
			"LEFT", "SEARCH holds USING PRIMARY KEY (train_id=?)", "USE TEMP B-TREE FOR ORDER BY",
			"RIGHT", "SEARCH ended_holds USING PRIMARY KEY (train_id=? AND user_id=?)", "USE TEMP B-TREE FOR ORDER BY",
		}},
		"trimHolds": {3, []string{
			"SEARCH ended_holds USING PRIMARY KEY (train_id=? AND user_id=? AND id=?)", "LIST SUBQUERY 1",
			"SEARCH ended_holds USING PRIMARY KEY (train_id=? AND user_id=?)", "USE TEMP B-TREE FOR ORDER BY",
		}},
		"holdsOfUser": {3, []string{
			"SEARCH holds USING PRIMARY KEY (train_id=? AND id=?)", "LIST SUBQUERY 3",
			"SEARCH holds USING COVERING INDEX holds_by_end (expires_at>?)",
		}},
		"endHolds": {2, []string{"SEARCH holds USING INDEX holds_by_end (expires_at<?)"}},
		"purgeHolds": {2, []string{
			"SEARCH ended_holds USING PRIMARY KEY (train_id=? AND user_id=? AND id=?)", "LIST SUBQUERY 2",
			"SEARCH ended_holds USING COVERING INDEX ended_holds_by_end (expires_at<?)",
		}},
		"listSchedules":    {3, []string{"SEARCH schedules USING INDEX sqlite_autoindex_schedules_1 (id>?)"}},
		"changedSchedules": {2, []string{"SEARCH schedules USING INDEX schedules_by_revision (revision>?)"}},
		"findFormerSchedule": {2, []string{
			"COMPOUND QUERY",
			"LEFT-MOST SUBQUERY", "SEARCH former_schedules USING INDEX sqlite_autoindex_former_schedules_1 (schedule_id=? AND defined=?)",
			"UNION ALL", "SEARCH schedules USING INDEX sqlite_autoindex_schedules_1 (id=?)",
		}},
		"countBooked": {2, []string{
			"SCAN json_each VIRTUAL TABLE INDEX 1:", "CORRELATED SCALAR SUBQUERY 2",
			"SEARCH trains USING INDEX sqlite_autoindex_trains_1 (id>? AND id<?)",
			"SEARCH bookings EXISTS USING INDEX bookings_of_train (train_id=?)", "USE TEMP B-TREE FOR ORDER BY",
		}},
		"findOwnTrain": {2, []string{
			"SCAN CONSTANT ROW", "SCALAR SUBQUERY 1", "SEARCH trains USING INDEX sqlite_autoindex_trains_1 (id>? AND id<?)",
		}},
	} {
		plan, err := db.Plan(t.Context(), sqlite.Queries[name], c.parameters)
		require.NoError(t, err, name)
		require.Equal(t, c.plan, plan, name)
	}
}
