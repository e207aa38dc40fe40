package main_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	main "trainbooking.dev/cmd/trainbooking"
)

func TestEveryCommandHasAPageWhoseExamplesParse(t *testing.T) {
	t.Parallel()
	for _, name := range append(main.Names(), "") {
		var help strings.Builder
		require.NoError(t, main.Parse(append(strings.Fields(name), "--help"), &help))
		_, examples, found := strings.Cut(help.String(), "\nEXAMPLES\n")
		require.True(t, found, "%s --help:\n%s", name, &help)
		require.Contains(t, help.String(), "\nDESCRIPTION\n")
		examples, _, _ = strings.Cut(examples, "\nFLAGS\n")
		require.Contains(t, examples, strings.TrimSpace("trainbooking "+name))
		for line := range strings.Lines(strings.ReplaceAll(examples, "\\\n", " ")) {
			words := strings.Fields(line)
			if len(words) == 0 || words[0] == "#" {
				continue
			}
			require.Equal(t, "trainbooking", words[0])
			for i, word := range words {
				if word == "<" || word == ">" {
					words = words[:i]
					break
				}
			}
			require.NoError(t, main.Parse(words[1:], &strings.Builder{}), line)
		}
	}
}
