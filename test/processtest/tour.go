package processtest

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TakeTour runs the tour in the README twice in bash, against the service at url, which has
// the demo trains. Only the address is replaced. The second run books the next seat.
func TakeTour(t *testing.T, readme, url string) {
	t.Helper()
	for _, tool := range []string{"bash", "curl"} {
		_, err := exec.LookPath(tool)
		require.NoError(t, err, "the tour needs it: sudo apt-get install -y "+tool)
	}
	blocks := regexp.MustCompile("(?s)\n```bash\n(.*?\n)```\n").FindAllStringSubmatch(readme, -1)
	require.Len(t, blocks, 1)
	tour := strings.Replace(blocks[0][1], "http://localhost:8080", url, 1)
	require.NotEqual(t, blocks[0][1], tour)
	require.Equal(t, 5, strings.Count(tour, "curl -s"))

	for _, want := range []struct{ register, free string }{
		{`{"message":"User registered successfully"}`, `"seat_available":[1,2,3,4,5,6,7,8,9,10]`},
		{`"code":"already_exists"`, `"seat_available":[2,3,4,5,6,7,8,9,10]`},
	} {
		out, err := exec.CommandContext(t.Context(), "bash", "-eu", "-o", "pipefail", "-c", tour).CombinedOutput() //nolint:gosec // the text of the README
		require.NoError(t, err, string(out))
		printed := strings.Split(strings.TrimSpace(string(out)), "\n")
		require.Len(t, printed, 4, "one line for each response, except the tokens")
		require.Contains(t, printed[0], want.register)
		require.Contains(t, printed[1], want.free)
		require.Contains(t, printed[2], "Seat locked successfully. Confirm booking to book the seat")
		require.Contains(t, printed[3], "Seat booked successfully")
	}
	require.Equal(t, []int{1, 2}, LogIn(t, url, "asha", "correct horse").BookedSeats(t))
}
