package gtfs

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Feed is the files of a timetable. Only the files that the package knows are opened, and only at the top
// of a folder or archive, or in the only folder at the top of an archive. Its methods may be called by one
// goroutine at a time.
type Feed struct {
	files map[string]file
}

// file is a file of a feed, and how many bytes it says it has.
type file struct {
	open       func() (io.ReadCloser, error)
	size       int64
	compressed int64 // 0: it is not
}

// OpenFolder returns the feed in a folder. Use os.Root.FS, which does not leave the folder. A folder below
// it is not looked at. What is no regular file is an error.
func OpenFolder(folder fs.FS) (*Feed, error) {
	feed := &Feed{files: map[string]file{}}
	for name := range maxRows {
		stat, err := fs.Stat(folder, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if !stat.Mode().IsRegular() { // opening a pipe would wait
			return nil, fmt.Errorf("%s is no regular file", name)
		}
		feed.files[name] = file{
			open: func() (io.ReadCloser, error) { return folder.Open(name) }, size: stat.Size(),
		}
	}
	return feed, nil
}

// OpenZip returns the feed in a ZIP file of size bytes, which must stay open. A file name that leads out of
// the archive is an error, though nothing is written anywhere.
func OpenZip(r io.ReaderAt, size int64) (*Feed, error) {
	if size > MaxArchive {
		return nil, fmt.Errorf("the archive has more than %d MB", MaxArchive>>20)
	}
	archive, err := readDirectory(r, size)
	if err != nil {
		return nil, err
	}
	if err := checkNames(archive); err != nil {
		return nil, err
	}
	folder, err := feedFolder(archive)
	if err != nil {
		return nil, err
	}
	feed := &Feed{files: map[string]file{}}
	for _, entry := range archive.File {
		name, found := strings.CutPrefix(entry.Name, folder)
		if _, known := maxRows[name]; !found || !known {
			continue
		}
		if _, twice := feed.files[name]; twice {
			return nil, fmt.Errorf("the archive has %s twice", entry.Name)
		}
		feed.files[name] = file{
			open: entry.Open, size: int64(min(entry.UncompressedSize64, maxText)),
			compressed: int64(min(entry.CompressedSize64, MaxArchive)),
		}
	}
	return feed, nil
}

var errDirectory = fmt.Errorf("the directory of the archive has more than %d MB", maxDirectory>>20)

// readDirectory reads the names and sizes of an archive.
func readDirectory(r io.ReaderAt, size int64) (*zip.Reader, error) {
	limited := &limitedReaderAt{from: r, left: maxDirectory}
	archive, err := zip.NewReader(limited, size)
	switch {
	case errors.Is(err, errDirectory):
		return nil, errDirectory
	case err != nil:
		return nil, fmt.Errorf("the archive: %w", err)
	}
	limited.left = 1 << 62 // the files have limits of their own
	return archive, nil
}

// limitedReaderAt returns errDirectory after a number of bytes.
type limitedReaderAt struct {
	from io.ReaderAt
	left int64
}

func (l *limitedReaderAt) ReadAt(p []byte, at int64) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		return 0, errDirectory
	}
	return l.from.ReadAt(p, at)
}

func checkNames(archive *zip.Reader) error {
	for _, entry := range archive.File {
		name := entry.Name
		if !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, "\\\x00") ||
			slices.Contains(strings.Split(name, "/"), "..") {
			return fmt.Errorf("the archive has a file %q, whose name leads out of it", name)
		}
	}
	return nil
}

// feedFolder returns the folder of the feed in an archive, with a slash at its end: "", or the only one that
// has trips.txt.
func feedFolder(archive *zip.Reader) (string, error) {
	folder, found := "", false
	for _, entry := range archive.File {
		in, name := path.Split(entry.Name)
		if name != tripsFile || strings.Count(in, "/") > 1 {
			continue
		}
		if in == "" {
			return "", nil
		}
		if found && folder != in {
			return "", fmt.Errorf("the archive has two feeds, in %s and %s: unpack it, and import one folder", folder, in)
		}
		folder, found = in, true
	}
	return folder, nil
}
