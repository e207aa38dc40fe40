package embedded_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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

func TestEveryLinkOfThePagesHasATarget(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md", "test/*/*.md"} {
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

func TestEveryTestInTheListOfFaultsExists(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "test", "chaos", "README.md"))
	require.NoError(t, err)
	var tests strings.Builder
	require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			text, readErr := os.ReadFile(path)
			tests.Write(text)
			err = readErr
		}
		return err
	}))
	for _, name := range regexp.MustCompile("`(Test[^`]+)`").FindAllStringSubmatch(string(page), -1) {
		require.True(t, strings.Contains(tests.String(), "func "+name[1]+"("), name[1])
	}
}

func TestReadmeNamesExistingFunctionsAndStatements(t *testing.T) {
	t.Parallel()
	for file, part := range map[string]string{
		"api/routes.go":              `"/train/book-ticket/"`,
		"api/hold.go":                "bookTicket(",
		"actors/hold.go":             "Hold(ctx",
		"booking/seatmap_hold.go":    "Hold(request",
		"persistence/sqlite/hold.go": "INSERT OR REPLACE INTO holds",
		"persistence/sqlite/sale.go": "INSERT INTO seats",
	} {
		require.Contains(t, readme(t), "["+file+"]")
		text, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		require.Contains(t, string(text), part, file)
	}
}
