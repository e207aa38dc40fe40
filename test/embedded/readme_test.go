package embedded_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is where the README lies.
const root = "../.."

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	return string(text)
}

// The tour is pasted as it stands, but for the port, into a bash that has nothing but
// curl and what is always there. It works again while there are seats.
func TestTourOfTheReadmeWorks(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl"} {
		_, err := exec.LookPath(tool)
		require.NoError(t, err, "the tour needs it: sudo apt-get install -y "+tool)
	}
	blocks := regexp.MustCompile("(?s)\n```bash\n(.*?\n)```\n").FindAllStringSubmatch(readme(t), -1)
	require.Len(t, blocks, 1)
	s := start(t, t.TempDir(), "--demo")
	tour := strings.Replace(blocks[0][1], "http://localhost:8080", s.url, 1)
	require.NotEqual(t, blocks[0][1], tour)
	require.Equal(t, 5, strings.Count(tour, "curl -s"))

	for _, want := range []struct{ register, free string }{
		{`{"message":"User registered successfully"}`, `"seat_available":[1,2,3,4,5,6,7,8,9,10]`},
		{`"code":"already_exists"`, `"seat_available":[2,3,4,5,6,7,8,9,10]`},
	} {
		out, err := exec.CommandContext(t.Context(), "bash", "-eu", "-o", "pipefail", "-c", tour).CombinedOutput()
		require.NoError(t, err, string(out))
		printed := strings.Split(strings.TrimSpace(string(out)), "\n")
		require.Len(t, printed, 4, "one line for each answer, but not the tokens")
		require.Contains(t, printed[0], want.register)
		require.Contains(t, printed[1], want.free)
		require.Contains(t, printed[2], "Seat locked successfully. Confirm booking to book the seat")
		require.Contains(t, printed[3], "Seat booked successfully")
	}
	require.Equal(t, []int{1, 2}, asReader(t, s).bookedSeats(t))
}

// asReader logs in as the user of the tour.
func asReader(t *testing.T, s *server) *client {
	t.Helper()
	c := newClient(s.url)
	c.token = c.must(t, 200, "POST", "/user/login/", object{"username": "asha", "password": "correct horse"}).Token.Access
	return c
}

func TestEveryLinkOfTheDocumentsLeadsSomewhere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md"} {
		documents, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, documents, pattern)
		for _, document := range documents {
			text, err := os.ReadFile(document)
			require.NoError(t, err)
			for _, match := range link.FindAllStringSubmatch(string(text), -1) {
				_, err := os.Stat(filepath.Join(filepath.Dir(document), match[1]))
				require.NoError(t, err, "%s links to %s", document, match[1])
			}
		}
	}
}

func TestReadmeNamesTheFunctionsAndStatementsThatAreThere(t *testing.T) {
	t.Parallel()
	for file, part := range map[string]string{
		"api/routes.go":                 `"/train/book-ticket/"`,
		"api/seat.go":                   "bookTicket(",
		"actors/hold.go":                "Hold(ctx",
		"booking/seatmap_hold.go":       "Hold(request",
		"persistence/sqlite/hold.go":    "INSERT INTO holds",
		"persistence/sqlite/booking.go": "INSERT INTO seats",
	} {
		require.Contains(t, readme(t), "["+file+"]")
		text, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		require.Contains(t, string(text), part, file)
	}
}
