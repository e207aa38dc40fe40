package embedded_test

import (
	"net/http"
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
	booked := asha.MustLock(t, http.StatusOK, train, 1)
	asha.MustConfirm(t, http.StatusOK, booked.SeatID)
	held := asha.MustLock(t, http.StatusOK, train, 2)

	url := processtest.TempFile(t, servers.EmptyPostgres(t)+"\n")
	copyData := func(dir string, args ...string) processtest.Result {
		return run(t, append([]string{"copy", "--data-dir", dir, "--database-url-file", url}, args...)...)
	}
	got := copyData(dir)
	require.Equal(t, 1, got.Code)
	require.Contains(t, got.Err, "is in use by another server")
	s.Stop()

	got = copyData(dir)
	require.Zero(t, got.Code, got.Err)
	require.Regexp(t, `users +2 +2\n +schedules +0 +0\n +former schedules +0 +0\n +trains +1 +1\n +former trains +0 +0\n +seats +1 +1\n +bookings +1 +1\n`, got.Out)
	require.Contains(t, got.Out, "The holds of 1 trains are not copied")
	redis := "redis://" + servers.Redis(t)
	again := copyData(dir, "--redis-url", redis)
	require.Zero(t, again.Code, again.Err)
	require.Contains(t, again.Out, "1 holds are in Redis.")

	// The data of another service is refused.
	other := t.TempDir()
	require.Zero(t, run(t, "migrate", "--data-dir", other).Code)
	got = copyData(other)
	require.Equal(t, 1, got.Code)
	require.Contains(t, got.Err, "the database has users that are not in the data directory: copy into an empty database")

	// A directory without data is an error, and is not created.
	nowhere := filepath.Join(other, "nowhere")
	got = copyData(nowhere)
	require.Equal(t, 2, got.Code)
	require.Contains(t, got.Err, "there is no data in "+nowhere)
	require.NoDirExists(t, nowhere)

	// A cluster continues with the copied data.
	cluster := processtest.Start(t, "--database-url-file", url, "--redis-url", redis,
		"--advertise", processtest.FreeAddress(t), "--jwt-secret-file", filepath.Join(dir, "jwt-secret"))
	asha = asha.At(cluster.URL)
	require.Equal(t, []int{1}, asha.BookedSeats(t))
	asha.MustConfirm(t, http.StatusOK, held.SeatID)
	require.Equal(t, []int{1, 2}, asha.BookedSeats(t))
	cluster.Stop()

	got = copyData(dir)
	require.Equal(t, 1, got.Code)
	require.Contains(t, got.Err, "a service has used the database")
}
