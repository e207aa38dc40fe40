package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"trainbooking.dev/tools/release/root"
)

// writeArchives writes an archive of each program for each platform, with the license beside the
// program, as the indexes of Homebrew and krew require.
func (r *release) writeArchives() error {
	license, err := os.ReadFile(filepath.Join(r.root, "LICENSE"))
	if err != nil {
		return err
	}
	for _, p := range r.platforms {
		for _, program := range r.programs {
			content, err := os.ReadFile(r.binary(program, p))
			if err != nil {
				return err
			}
			err = writeArchive(filepath.Join(r.dist, r.name(program, p)+".tar.gz"), r.time, []root.File{
				{Path: "LICENSE", Mode: 0o644, Content: license},
				{Path: program, Mode: 0o755, Content: content},
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func writeArchive(path string, at time.Time, files []root.File) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	zip := gzip.NewWriter(file)
	return errors.Join(writeTar(zip, at, 0, files), zip.Close())
}

// writeTar writes a tar archive whose bytes depend only on the arguments. owner owns all files.
func writeTar(w io.Writer, at time.Time, owner int, files []root.File) error {
	archive := tar.NewWriter(w)
	for _, f := range files {
		header := &tar.Header{
			Name: f.Path, Typeflag: tar.TypeReg, Mode: int64(f.Mode.Perm()), Size: int64(len(f.Content)),
			Uid: owner, Gid: owner, ModTime: at, Format: tar.FormatPAX,
		}
		if f.Mode.IsDir() {
			header.Name, header.Typeflag = f.Path+"/", tar.TypeDir
		}
		if f.Mode&fs.ModeSticky != 0 {
			header.Mode |= 0o1000
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(f.Content); err != nil {
			return err
		}
	}
	return archive.Close()
}
