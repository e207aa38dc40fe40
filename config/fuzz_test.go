package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/config"
)

// Any file and any variable yields settings or problems.
func FuzzSources(f *testing.F) {
	example, err := os.ReadFile("example.yaml")
	require.NoError(f, err)
	f.Add(string(example), "")
	for _, seed := range []string{
		"", "demo: true", "hold-ttl: 7m\nlisten: :7777\n", "hold-ttl: soon", "a: &a [*a]", "listen: *x", "- 1", "\x00", "demo: !!binary aGk=",
		"a: b: c", "<<: {demo: true}", "? [a]\n: b", "login-failures: 0x10", "login-failures: 1_000", "demo: ~", "---\n---\n", "%YAML 9.9\n---\n",
		"database-url: marker", "database-url: [marker]", "database-url:\n  marker: x", "database-url: \"marker", "database-url: marker\ndatabase-url: marker",
	} {
		f.Add(seed, seed)
	}
	path := filepath.Join(f.TempDir(), "trainbooking.yaml")
	f.Fuzz(func(t *testing.T, yaml, variable string) {
		require.NoError(t, os.WriteFile(path, []byte(yaml), 0o600))
		var c config.Config
		name, value, _ := strings.Cut(variable, ": ")
		sources := config.NewSources([]string{"TRAINBOOKING_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + "=" + value, "TRAINBOOKING_CONFIG=" + path})
		flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
		sources.AddFlags(flags)
		c.AddFlags(flags)
		require.NoError(t, flags.Parse([]string{"--config", path}))
		sources.Apply(flags)
		for _, problem := range append(sources.Problems(), c.Validate()...) {
			require.NotEmpty(t, problem)
		}
	})
}
