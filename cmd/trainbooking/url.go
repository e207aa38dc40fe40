package main

import (
	"fmt"
	"os"
	"strings"

	"trainbooking.dev/cmd/internal/setting"
	"trainbooking.dev/config"
	"trainbooking.dev/persistence"
)

// urlSetting is the URL of a store, of a flag or of the file of another one, which is replaced when
// the password is.
type urlSetting struct{ flag, value, path string }

// read returns the URL as it is now.
func (u urlSetting) read() (string, error) {
	if u.path == "" {
		return u.value, nil
	}
	contents, err := os.ReadFile(u.path)
	if err != nil {
		return "", usageError{fmt.Errorf("%s-file: %w", u.flag, setting.WithoutPath(err))}
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

func filesOf(t config.TLSFiles) persistence.TLSFiles {
	return persistence.TLSFiles{Authority: t.CA, Certificate: t.Cert, Key: t.Key}
}
