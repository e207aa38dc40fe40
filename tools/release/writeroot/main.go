// Command writeroot writes the files that every image contains to a directory, for the Dockerfile:
//
//	writeroot DIRECTORY
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"trainbooking.dev/tools/release/root"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: writeroot DIRECTORY")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "writeroot: %v\n", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range root.Files() {
		path := filepath.Join(dir, f.Path)
		var err error
		if f.Mode.IsDir() {
			err = os.Mkdir(path, 0o755)
		} else {
			err = os.WriteFile(path, f.Content, 0o644)
		}
		if err != nil {
			return err
		}
		if err := os.Chmod(path, f.Mode); err != nil { // whatever the umask is
			return err
		}
	}
	return nil
}
