package sqlite_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/sqlite"
)

// crashDir is the environment variable with the directory that a child process writes to.
const crashDir = "SQLITE_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// acknowledgement is a line that the child prints after it has written a booking and a hold.
type acknowledgement struct {
	Booking uuid.UUID
	Hold    booking.HoldID
}

// TestKilledProcessLosesNothingAcknowledged kills a process with SIGKILL during its
// writes, twice on the same files.
func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for round := 1; round <= 2; round++ {
		acknowledged := killAfter(t, dir, 50*round)
		db := openIn(t, dir)
		holds := map[booking.HoldID]bool{}
		for _, a := range acknowledged {
			if id := a.Hold.Train(); len(holds) == 0 {
				kept, err := persistencetest.LoadHolds(t.Context(), db, id, now())
				require.NoError(t, err)
				for _, hold := range kept {
					holds[hold.ID] = true
				}
			}
			b, err := db.FindBooking(t.Context(), a.Booking)
			require.NoError(t, err, "round %d", round)
			require.True(t, b.CancelledAt.IsZero())
			require.True(t, holds[a.Hold], "round %d", round)
		}
		persistencetest.RequireSeatsMatchBookings(t, db)
		require.NoError(t, db.Close())
	}
}

// killAfter runs the child until it has acknowledged n writes, kills it, and returns all
// acknowledgements.
func killAfter(t *testing.T, dir string, n int) (acknowledged []acknowledgement) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var a acknowledgement
		if json.Unmarshal(lines.Bytes(), &a) != nil {
			break // an incomplete line
		}
		acknowledged = append(acknowledged, a)
		if len(acknowledged) == n {
			require.NoError(t, child.Process.Kill())
		}
	}
	require.Error(t, child.Wait(), "killed")
	require.GreaterOrEqual(t, len(acknowledged), n)
	return acknowledged
}

// writeUntilKilled is the child: it writes a sale and a hold, prints a line when both are
// acknowledged, and starts over.
func writeUntilKilled(dir string) error {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, dir, sqlite.Options{})
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	train := booking.Train{ID: booking.NewTrainID(), Stops: []booking.Stop{{Station: "Delhi"}, {Station: "Mumbai"}}}
	if err := db.CreateTrain(ctx, train); err != nil {
		return err
	}
	guard := persistence.Guard{Train: train.ID, Epoch: 1, Owner: uuid.New()}
	if _, err := persistencetest.Adopt(ctx, db, train.ID, 0, guard.Owner); err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	for seat := 1; seat < booking.MaxCapacity; seat++ {
		sale, hold := saleOf(guard, seat), holdOf(guard, seat)
		if results, err := db.Book(ctx, []persistence.Sale{sale}); err != nil || results[0] != nil {
			return fmt.Errorf("book: %v, %w", results, err)
		}
		if results, err := db.WriteHolds(ctx, []persistence.HoldWrite{hold}); err != nil || results[0] != nil {
			return fmt.Errorf("hold: %v, %w", results, err)
		}
		if err := out.Encode(acknowledgement{Booking: sale.Booking.ID, Hold: hold.Hold.ID}); err != nil {
			return err
		}
	}
	return fmt.Errorf("the child was not killed")
}
