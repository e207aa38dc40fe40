package importer

import (
	"errors"
	"fmt"
	"io"
	"os"

	"trainbooking.dev/gtfs"
)

// OpenFeed opens the feed of a ZIP file or a directory, or for "-" a ZIP file that is read from in. The
// returned function closes it.
func OpenFeed(path string, in io.Reader) (*gtfs.Feed, func(), error) {
	if path == "-" {
		return openInput(in)
	}
	stat, err := os.Stat(path)
	if err != nil {
		return nil, nil, reasonOf(err)
	}
	if stat.IsDir() {
		return openFolder(path)
	}
	if !stat.Mode().IsRegular() {
		return nil, nil, errors.New("it is neither a file nor a directory; - is standard input")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, reasonOf(err)
	}
	return openZip(file, stat.Size(), func() { _ = file.Close() })
}

func openFolder(path string) (*gtfs.Feed, func(), error) {
	root, err := os.OpenRoot(path) // links that lead out of it are not followed
	if err != nil {
		return nil, nil, reasonOf(err)
	}
	feed, err := gtfs.OpenFolder(root.FS())
	if err != nil {
		_ = root.Close()
		return nil, nil, err
	}
	return feed, func() { _ = root.Close() }, nil
}

func openZip(file *os.File, size int64, closeFile func()) (*gtfs.Feed, func(), error) {
	feed, err := gtfs.OpenZip(file, size)
	if err != nil {
		closeFile()
		return nil, nil, err
	}
	return feed, closeFile, nil
}

// openInput stores in in a temporary file, since the directory of an archive is at its end.
func openInput(in io.Reader) (*gtfs.Feed, func(), error) {
	file, err := os.CreateTemp("", "trainbooking-import-")
	if err != nil {
		return nil, nil, err
	}
	remove := func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}
	size, err := io.Copy(file, io.LimitReader(in, gtfs.MaxArchive+1))
	if err != nil {
		remove()
		return nil, nil, fmt.Errorf("standard input: %w", err)
	}
	return openZip(file, size, remove)
}

// reasonOf returns the error without the path, which the caller names.
func reasonOf(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}
