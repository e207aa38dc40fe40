package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// readFile returns the settings in a YAML file by name, and the problems of the others.
func readFile(path string, known []string) (map[string]string, Problems) {
	nodes, err := decode(path)
	if err != nil {
		return nil, Problems{fmt.Sprintf("--config %s: %v", path, err)}
	}
	values := make(map[string]string, len(nodes))
	var problems Problems
	for _, key := range sortedKeys(nodes) {
		node := nodes[key]
		switch {
		case !slices.Contains(known, key):
			problems.add("--config %s, line %d: %s is not a setting; the settings are %s",
				path, node.Line, key, strings.Join(known, ", "))
		case node.Kind != yaml.ScalarNode:
			problems.add("--config %s, line %d: %s must be a single value", path, node.Line, key)
		case node.Value != "" && node.Tag != "!!null":
			values[key] = node.Value
		}
	}
	return values, problems
}

func decode(path string) (map[string]yaml.Node, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	decoder := yaml.NewDecoder(f)
	var nodes map[string]yaml.Node
	if err := decoder.Decode(&nodes); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("must be one YAML document")
	}
	return nodes, nil
}

func sortedKeys(nodes map[string]yaml.Node) []string {
	keys := make([]string, 0, len(nodes))
	for key := range nodes {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int { return nodes[a].Line - nodes[b].Line })
	return keys
}
