package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"

	"gopkg.in/yaml.v3"
)

// readFile returns the valid settings in a YAML file by name, and a problem for each other key. The
// problems do not quote the parser, since the file may have passwords.
func readFile(path string, known []string) (map[string]string, Problems) {
	values, problems := map[string]string{}, Problems{}
	lines, err := decode(path)
	if err != nil {
		problems.add("--config %s: %v", path, err)
		return nil, problems
	}
	seen := map[string]bool{}
	for len(lines) > 1 {
		key, value := lines[0], lines[1]
		lines = lines[2:]
		switch {
		case !slices.Contains(known, key.Value):
			problems.add("--config %s, line %d: %s is not a setting; config/example.yaml has all of them", path, key.Line, nameOf(key.Value))
		case seen[key.Value]:
			problems.add("--config %s, line %d: %s is set twice", path, key.Line, key.Value)
		case value.Kind != yaml.ScalarNode:
			problems.add("--config %s, line %d: %s must be a single value", path, key.Line, key.Value)
		case value.Value != "" && value.Tag != "!!null":
			values[key.Value] = value.Value
		}
		seen[key.Value] = true
	}
	return values, problems
}

var (
	settingName = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	lineNumber  = regexp.MustCompile(`line \d+`)
)

// nameOf returns the key if it looks like the name of a setting. Any other may be part of a password.
func nameOf(key string) string {
	if settingName.MatchString(key) {
		return key
	}
	return "its key"
}

// decode returns the keys and values of a YAML document in turn.
func decode(path string) ([]*yaml.Node, error) {
	f, err := os.Open(path)
	if err != nil {
		if inner, ok := errors.AsType[*fs.PathError](err); ok {
			err = inner.Err
		}
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	decoder := yaml.NewDecoder(f)
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("it is not YAML (%s)", lineNumber.FindString(err.Error()+" line 1"))
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("must be one YAML document")
	}
	root := document.Content[0]
	switch {
	case root.Kind == yaml.MappingNode:
		return root.Content, nil
	case root.Tag == "!!null":
		return nil, nil
	}
	return nil, errors.New("it must have lines such as hold-ttl: 5m")
}
