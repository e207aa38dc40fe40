package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// TestAHoldWritesTwoPages writes batches with a hold of each of many trains, each of which has so many
// others that no two trains share a page.
func TestAHoldWritesTwoPages(t *testing.T) {
	t.Parallel()
	const (
		trains, batches = 30, 10
		frame           = 4096 + 24 // a page in the log, with its header
	)
	dir := t.TempDir()
	db := openIn(t, dir)
	guards := make([]persistence.Guard, trains)
	for i := range guards {
		guards[i] = adopt(t, db, booking.NewTrainID())
	}
	// oneOfEach returns holds in the order of their ends.
	oneOfEach := func(seat int) (writes []persistence.HoldWrite) {
		for _, guard := range guards {
			writes = append(writes, holdOf(guard, seat))
		}
		return writes
	}
	write := func(writes []persistence.HoldWrite) (logged int) {
		t.Helper()
		_, err := db.WriteHolds(t.Context(), writes)
		require.NoError(t, err)
		log, err := os.Stat(filepath.Join(dir, "trainbooking.db-wal"))
		require.NoError(t, err)
		return int(log.Size()) / frame
	}
	var others []persistence.HoldWrite
	for seat := range 100 {
		others = append(others, oneOfEach(seat+1)...)
	}
	logged := write(others)
	var writes [batches][]persistence.HoldWrite
	for i := range writes {
		writes[i] = oneOfEach(101 + i)
	}
	for _, op := range []persistence.HoldOp{persistence.HoldPut, persistence.HoldDrop} {
		before := logged
		for _, batch := range writes {
			for i := range batch {
				batch[i].Op = op
			}
			logged = write(batch)
		}
		require.Greater(t, logged, before+batches*trains/2, "the log did not begin again")
		require.LessOrEqual(t, logged, before+2*batches*trains, "of operation %d", op)
	}
}
