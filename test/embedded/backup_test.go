package embedded_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/sqlite/sqlitetest"
	"trainbooking.dev/test/processtest"
	"trainbooking.dev/test/traffic"
)

// TestServiceSellsDuringABackup backs up a large store while clients book. The restored copy has every booking that
// was acknowledged before the backup began, and its figures agree with its bookings.
func TestServiceSellsDuringABackup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir, "--max-holds-per-user", "1000")
	admin := createAdmin(t, dir, s.URL)
	trains := admin.AddTrains(t, 4, 1000)
	service := processtest.Passengers(t, s.URL, filepath.Join(dir, "jwt-secret"), admin)
	cancelled := 100_000
	if processtest.HasRaceDetector() {
		cancelled = 10_000 // everything is ten times slower
	}
	addCancelled(t, dir, trains[0].ID, cancelled)
	race := traffic.Start(t.Context(), traffic.Options{
		Service: service, Users: processtest.NewUsers(8), Clients: 1, Trains: trains, Think: 20 * time.Millisecond,
	}, traffic.Race)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	require.NoError(t, race.AwaitBookings(ctx, 50))

	var before []uuid.UUID
	for _, train := range trains {
		page, err := service.TrainBookings(t.Context(), train.ID, booking.PageRequest{})
		require.NoError(t, err)
		for _, b := range page.Items {
			before = append(before, b.ID)
		}
	}
	backup, count := filepath.Join(t.TempDir(), "backup.db"), race.Bookings()
	got := run(t, "backup", backup, "--data-dir", dir)
	sold := race.Bookings() - count
	race.Stop()
	require.Zero(t, got.Code, got.Err)
	require.Regexp(t, `^`+backup+` has 1\d{4,5} bookings, 4 trains and 1 users, schema version \d+.\n$`, got.Out)
	require.Positive(t, sold, "nothing was sold during the backup")
	require.Empty(t, race.Failed())
	t.Logf("%d bookings before the backup, %d during it", count, sold)

	restored := t.TempDir()
	got = run(t, "restore", backup, "--data-dir", restored)
	require.Zero(t, got.Code, got.Err)
	copied := start(t, restored)
	other := processtest.Passengers(t, copied.URL, filepath.Join(restored, "jwt-secret"), processtest.LogIn(t, copied.URL, "root", password))
	var after []uuid.UUID
	for _, b := range processtest.ListedBookings(t, other, idsOf(trains)) {
		after = append(after, b.ID)
	}
	require.Subset(t, after, before)
	got = run(t, "restore", backup, "--data-dir", restored, "--force")
	require.Equal(t, 1, got.Code)
	require.Contains(t, got.Err, "is in use by another server")
}

func idsOf(trains []booking.Train) (ids []booking.TrainID) {
	for _, train := range trains {
		ids = append(ids, train.ID)
	}
	return ids
}

// addCancelled makes the store large.
func addCancelled(t *testing.T, dir string, train booking.TrainID, count int) {
	t.Helper()
	sqlitetest.Insert(t, dir, "bookings", "id, train_id, user_id, legs, seats, epoch, booked_at, cancelled_at", func(yield func([]any) bool) {
		for i := range count {
			id := uuid.New()
			if !yield([]any{id[:], train[:], id[:], 1, "[1]", 1, i, i + 1}) {
				return
			}
		}
	})
}

func TestBackupsOfADirectoryAreDeletedBeyondKeep(t *testing.T) {
	t.Parallel()
	data, dir := t.TempDir(), t.TempDir()
	require.Zero(t, run(t, "migrate", "--data-dir", data).Code)
	write := func(name string, age time.Duration) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
		require.NoError(t, os.Chtimes(path, time.Now().Add(-age), time.Now().Add(-age)))
	}
	for _, name := range []string{"trainbooking-20260101T000000Z.db", "trainbooking-20260102T000000Z.db", "trainbooking-29990102T000000Z.db"} {
		write(name, 0)
	}
	write("trainbooking-mine.db", 0)
	write(".trainbooking-1.partial", 2*time.Hour)
	write(".trainbooking-2.partial", 0) // of a backup that is being written

	got := run(t, "backup", dir, "--data-dir", data, "--keep", "2")
	require.Zero(t, got.Code, got.Err)
	made, _, found := strings.Cut(got.Out, " has 0 bookings")
	require.True(t, found, got.Out)
	require.Regexp(t, `/trainbooking-\d{8}T\d{6}Z\.db$`, made)
	require.FileExists(t, made)
	var names []string
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	require.ElementsMatch(t, []string{
		filepath.Base(made), "trainbooking-29990102T000000Z.db", "trainbooking-mine.db", ".trainbooking-2.partial",
	}, names)

	// A backup that fails deletes nothing.
	got = run(t, "backup", dir, "--data-dir", t.TempDir(), "--keep", "1")
	require.Equal(t, 2, got.Code)
	require.Contains(t, got.Err, "there is no data in")
	require.FileExists(t, made)
	require.FileExists(t, filepath.Join(dir, "trainbooking-29990102T000000Z.db"))
}

func TestBackupAndRestoreRefuseWrongArguments(t *testing.T) {
	t.Parallel()
	data, dir := t.TempDir(), t.TempDir()
	require.Zero(t, run(t, "migrate", "--data-dir", data).Code)
	backup := filepath.Join(dir, "backup.db")
	require.Zero(t, run(t, "backup", backup, "--data-dir", data).Code)
	text := processtest.TempFile(t, "text")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"backup"}, 2, "missing argument PATH"},
		{[]string{"backup", backup}, 1, "backup.db already exists"},
		{[]string{"backup", dir, "--keep", "-1"}, 2, "--keep -1 is out of range"},
		{[]string{"backup", filepath.Join(dir, "new"), "--keep", "1"}, 2, "--keep requires a directory"},
		{[]string{"backup", filepath.Join(dir, "no", "new")}, 2, "cannot write to"},
		{[]string{"backup", dir, "--database-url", "postgres://x"}, 2, "pg_dump"},
		{[]string{"restore", backup, "--database-url", "postgres://x"}, 2, "pg_restore"},
		{[]string{"restore"}, 2, "missing argument FILE"},
		{[]string{"restore", backup}, 1, "--force replaces it"},
		{[]string{"restore", filepath.Join(dir, "none")}, 2, "there is no file " + dir},
		{[]string{"restore", text, "--force"}, 2, text + " is not a Trainbooking database"},
	} {
		got := run(t, append(c.args, "--data-dir", data)...)
		require.Equal(t, c.code, got.Code, "%v: %s", c.args, got.Err)
		require.Contains(t, got.Err, c.want, c.args)
	}
	require.Zero(t, run(t, "migrate", "--data-dir", data).Code, "the data is as it was")
}

// TestEveryCommandRefusesAFileThatIsNotADatabase also covers a data directory that is a file.
func TestEveryCommandRefusesAFileThatIsNotADatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	noise := make([]byte, 1<<16) // an encrypted database
	_, _ = rand.Read(noise)
	path := filepath.Join(dir, "trainbooking.db")
	require.NoError(t, os.WriteFile(path, noise, 0o600))
	postgres := processtest.TempFile(t, servers.EmptyPostgres(t)+"\n")
	commands := [][]string{
		{"serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"},
		{"migrate"},
		{"copy", "--database-url-file", postgres},
		{"createsuperuser", "--username", "x", "--email", "x@example.org", "--password-stdin"},
		{"set-password", "--username", "x", "--password-stdin"},
		{"backup", t.TempDir()},
	}
	for _, args := range commands {
		for _, c := range []struct{ data, want string }{
			{dir, "trainbooking: " + path + " is not a Trainbooking database: it is another kind of file, or encrypted; move it away, or use another path\n"},
			{path, "the data directory " + path + " is a file, or is below one: set --data-dir to a directory\n"},
		} {
			command := processtest.Command(t, append(args, "--data-dir", c.data)...)
			command.Stdin = strings.NewReader(password)
			got := processtest.RunToEnd(t, command)
			require.Equal(t, 2, got.Code, "%v: %s", args, got.Err)
			require.Contains(t, got.Err, c.want, args)
		}
	}
}

func TestLoginsEndWithARestore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	processtest.SignUp(t, s.URL, "asha")
	login := processtest.NewClient(s.URL).Must(t, http.StatusOK, "POST", "/user/login/", map[string]any{"username": "asha", "password": password})
	backup := filepath.Join(t.TempDir(), "backup.db")
	require.Zero(t, run(t, "backup", backup, "--data-dir", dir).Code)
	s.Stop()
	got := run(t, "restore", backup, "--data-dir", dir, "--force")
	require.Zero(t, got.Code, got.Err)
	require.Contains(t, got.Out, "All users must log in again.\nThe previous database was kept as "+dir+"/trainbooking.db.before-restore-")
	s = start(t, dir)
	processtest.NewClient(s.URL).Must(t, http.StatusUnauthorized, "POST", "/user/token/refresh/", map[string]any{"refresh": login.Token.Refresh})
	processtest.LogIn(t, s.URL, "asha", password)
}
