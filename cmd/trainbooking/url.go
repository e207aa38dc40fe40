package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"trainbooking.dev/config"
	"trainbooking.dev/persistence"
)

// urlSetting is the URL of a store: the value of a flag, or the contents of the file named by the flag
// with the suffix -file, which may change with the password.
type urlSetting struct{ flag, value, path string }

// read returns the URL as it is now.
func (u urlSetting) read() (string, error) {
	if u.path == "" {
		return u.value, nil
	}
	contents, err := os.ReadFile(u.path)
	if err != nil {
		return "", usageError{fmt.Errorf("%s-file: %w", u.flag, withoutPath(err))}
	}
	text := strings.TrimSpace(string(contents))
	if text == "" {
		return "", usageError{fmt.Errorf("%s-file %s is empty; write the value of %s into it", u.flag, u.path, u.flag)}
	}
	return text, nil
}

// reread returns read if the URL can change, otherwise nil.
func (u urlSetting) reread() func() (string, error) {
	if u.path == "" {
		return nil
	}
	return u.read
}

// withoutPath removes the path from an error of opening a file: somebody may have given a secret
// instead of the name of its file.
func withoutPath(err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		return inner.Err
	}
	return err
}

func filesOf(t config.TLSFiles) persistence.TLSFiles {
	return persistence.TLSFiles{Authority: t.CA, Certificate: t.Cert, Key: t.Key}
}
