package importer_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/cmd/trainbooking/importer"
	"trainbooking.dev/gtfs"
)

// archive is the smallest ZIP file.
const archive = "PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

func TestFeedIsAFileOrADirectoryOrStandardInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "feed.zip")
	require.NoError(t, os.WriteFile(file, []byte(archive), 0o600))
	for _, path := range []string{file, dir, "-"} {
		feed, closeFeed, err := importer.OpenFeed(path, strings.NewReader(archive))
		require.NoError(t, err)
		_, err = gtfs.Read(t.Context(), feed, options())
		require.EqualError(t, err, "the feed has no agency.txt", "it is a feed without files")
		closeFeed()
	}
}

func TestFeedThatCannotBeOpenedIsAnError(t *testing.T) {
	t.Parallel()
	linked := t.TempDir()
	require.NoError(t, os.Symlink("/etc/hostname", filepath.Join(linked, "stops.txt")))
	for path, want := range map[string]string{
		"/nowhere":    "no such file or directory",
		"/dev/null":   "it is neither a file nor a directory; - is standard input",
		linked:        "stops.txt: statat stops.txt: path escapes from parent",
		"manifest.go": "the archive: zip: not a valid zip file",
		"-":           "the archive: zip: not a valid zip file",
	} {
		_, _, err := importer.OpenFeed(path, strings.NewReader("nonsense"))
		require.EqualError(t, err, want, path)
	}
	_, _, err := importer.OpenFeed("-", zeros{})
	require.EqualError(t, err, "the archive has more than 256 MB")
}

// zeros has no end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

var _ io.Reader = zeros{}
