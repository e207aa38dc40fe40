package embedded_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

// root is the directory of the README.
const root = "../.."

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	return string(text)
}

func TestTourOfTheReadmeWorks(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "--demo")
	processtest.TakeTour(t, readme(t), s.URL)
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
		"api/routes.go":              `"/train/book-ticket/"`,
		"api/hold.go":                "bookTicket(",
		"actors/hold.go":             "Hold(ctx",
		"booking/seatmap_hold.go":    "Hold(request",
		"persistence/sqlite/hold.go": "INSERT INTO holds",
		"persistence/sqlite/sale.go": "INSERT INTO seats",
	} {
		require.Contains(t, readme(t), "["+file+"]")
		text, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		require.Contains(t, string(text), part, file)
	}
}
