// Package setting has what the settings of several commands have in common.
package setting

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// FromEnvironment sets the flags that were not given on the command line: --log-level from a variable
// with the prefix and LOG_LEVEL.
func FromEnvironment(f *pflag.FlagSet, prefix string, environ []string) error {
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		key, ours := strings.CutPrefix(name, prefix)
		flag := f.Lookup(strings.ToLower(strings.ReplaceAll(key, "_", "-")))
		if !ours || value == "" || flag == nil || flag.Changed {
			continue
		}
		if err := flag.Value.Set(value); err != nil {
			return fmt.Errorf("%s %q: %w", name, value, err)
		}
	}
	return nil
}

// Token returns the first line of a file of tokens. The service accepts any line of it, so that they
// can be rotated.
func Token(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", WithoutPath(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSpace(line); line == "" {
		return "", errors.New("the first line is empty; it must be the token")
	}
	return line, nil
}

// WithoutPath removes the path from an error of opening a file: somebody may have given a secret
// instead of the name of its file.
func WithoutPath(err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		return inner.Err
	}
	return err
}
