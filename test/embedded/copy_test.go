package embedded_test

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
)

func TestDataDirectoryIsCopiedIntoADatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	train := createAdmin(t, dir, s.URL).AddTrain(t, 10)
	asha := processtest.SignUp(t, s.URL, "asha")
	booked := asha.Must(t, http.StatusOK, "POST", "/train/book-ticket/", object{"train_id": train, "seat_number": 1})
	asha.Must(t, http.StatusOK, "POST", "/train/confirm-booking/", object{"seat_id": booked.SeatID})
	held := asha.Must(t, http.StatusOK, "POST", "/train/book-ticket/", object{"train_id": train, "seat_number": 2})

	url := filepath.Join(t.TempDir(), "url")
	require.NoError(t, os.WriteFile(url, []byte(servers.EmptyPostgres(t)+"\n"), 0o600))
	copyData := func(dir string, args ...string) processtest.Result {
		return processtest.RunToEnd(t, processtest.Command(t, append([]string{"copy", "--data-dir", dir, "--database-url-file", url}, args...)...))
	}
	got := copyData(dir)
	require.Equal(t, 1, got.Code)
	require.Contains(t, got.Err, "is in use by another server")
	s.Stop()

	got = copyData(dir)
	require.Zero(t, got.Code, got.Err)
	require.Regexp(t, `users +2 +2\n +trains +1 +1\n +seats +1 +1\n +bookings +1 +1\n`, got.Out)
	require.Contains(t, got.Out, "The holds of 1 trains are not copied")
	redis := "redis://" + servers.Redis(t)
	again := copyData(dir, "--redis-url", redis)
	require.Zero(t, again.Code, again.Err)
	require.Contains(t, again.Out, "1 holds are in Redis.")

	// Another service's data does not go into the same database.
	other := t.TempDir()
	require.Zero(t, processtest.RunToEnd(t, processtest.Command(t, "migrate", "--data-dir", other)).Code)
	got = copyData(other)
	require.Equal(t, 1, got.Code)
	require.Contains(t, got.Err, "the database has users that are not in the data directory: copy into an empty database")

	// Nor is there anything to copy where no service was.
	nowhere := filepath.Join(other, "nowhere")
	got = copyData(nowhere)
	require.Equal(t, 2, got.Code)
	require.Contains(t, got.Err, "there is no data in "+nowhere)
	require.NoDirExists(t, nowhere)

	// A cluster goes on where the one process stopped.
	cluster := processtest.Start(t, "--database-url-file", url, "--redis-url", redis,
		"--advertise", freeAddress(t), "--jwt-secret-file", filepath.Join(dir, "jwt-secret"))
	asha = asha.At(cluster.URL)
	require.Equal(t, []int{1}, asha.BookedSeats(t))
	asha.Must(t, http.StatusOK, "POST", "/train/confirm-booking/", object{"seat_id": held.SeatID})
	require.Equal(t, []int{1, 2}, asha.BookedSeats(t))
	cluster.Stop()

	got = copyData(dir)
	require.Equal(t, 1, got.Code)
	require.Contains(t, got.Err, "a service has used the database")
}

// freeAddress returns an address of this machine that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close() //nolint:errcheck // nothing was written
	return listener.Addr().String()
}
