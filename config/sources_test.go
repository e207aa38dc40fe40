package config_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/config"
)

// parse parses settings like a command of trainbooking.
func parse(t *testing.T, environ []string, args ...string) (config.Config, *config.Sources) {
	t.Helper()
	var c config.Config
	sources := config.NewSources(environ)
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	sources.AddFlags(flags)
	c.AddFlags(flags)
	require.NoError(t, flags.Parse(args))
	sources.Apply(flags)
	return c, sources
}

func file(t *testing.T, yaml string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trainbooking.yaml")
	require.NoError(t, os.WriteFile(path, []byte(yaml), 0o600))
	return path
}

func TestFlagWinsOverEnvironmentOverFileOverDefault(t *testing.T) {
	t.Parallel()
	path := file(t, "hold-ttl: 7m\nlisten: :7777\n")
	environ := []string{"TRAINBOOKING_HOLD_TTL=6m"}
	for name, c := range map[string]struct {
		environ []string
		args    []string
		want    time.Duration
	}{
		"default":                 {want: 3 * time.Minute},
		"file":                    {args: []string{"--config", path}, want: 7 * time.Minute},
		"environment":             {environ: environ, want: 6 * time.Minute},
		"environment over file":   {environ: environ, args: []string{"--config", path}, want: 6 * time.Minute},
		"flag over file":          {args: []string{"--config", path, "--hold-ttl", "5m"}, want: 5 * time.Minute},
		"flag over all":           {environ: environ, args: []string{"--config", path, "--hold-ttl", "5m"}, want: 5 * time.Minute},
		"flag back to default":    {environ: environ, args: []string{"--config", path, "--hold-ttl=3m"}, want: 3 * time.Minute},
		"empty variable is none":  {environ: []string{"TRAINBOOKING_HOLD_TTL="}, args: []string{"--config", path}, want: 7 * time.Minute},
		"file named by variable":  {environ: []string{"TRAINBOOKING_CONFIG=" + path}, want: 7 * time.Minute},
		"flag names another file": {environ: []string{"TRAINBOOKING_CONFIG=/nowhere"}, args: []string{"--config", path}, want: 7 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, sources := parse(t, c.environ, c.args...)
			require.Empty(t, sources.Problems())
			require.Equal(t, c.want, got.HoldTTL)
		})
	}
}

func TestFlagOfTheFileCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	path := file(t, "demo: true\nmigrate: false\n")
	got, _ := parse(t, []string{"TRAINBOOKING_DEMO=false"}, "--config", path, "--migrate=true")
	require.False(t, got.Demo)
	require.True(t, got.Migrate)
}

func TestDefaultIsTheResultOfAnEmptyCommandLine(t *testing.T) {
	t.Parallel()
	got, _ := parse(t, nil)
	require.Equal(t, config.Default(), got)
}

func TestExampleFileHasEveryDefault(t *testing.T) {
	t.Parallel()
	// An unknown key would be a problem. The regular expression finds missing settings.
	got, sources := parse(t, nil, "--config", "example.yaml")
	require.Empty(t, sources.Problems())
	require.Equal(t, config.Default(), got)
	example, err := os.ReadFile("example.yaml")
	require.NoError(t, err)
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	new(config.Config).AddFlags(flags)
	flags.VisitAll(func(flag *pflag.Flag) {
		require.Regexp(t, `(?m)^`+flag.Name+`: `, string(example))
	})
}

func TestSourcesReportAllProblems(t *testing.T) {
	t.Parallel()
	path := file(t, "hold-ttl: soon\nholdttl: 3m\nlisten: [a, b]\nlogin-failures: many\n")
	_, sources := parse(t, []string{"TRAINBOOKING_PPROF=perhaps"}, "--config", path)
	require.ElementsMatch(t, config.Problems{
		"--config " + path + ", line 2: holdttl is not a setting; config/example.yaml has all of them",
		"--config " + path + ", line 3: listen must be a single value",
		`TRAINBOOKING_PPROF "perhaps" is not true or false`,
		`hold-ttl "soon" is not a time such as 90s, 3m or 24h`,
		`login-failures "many" is not a whole number`,
	}, sources.Problems())
}

func TestUnreadableFileIsAProblem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ path, want string }{
		"missing":   {"/nowhere/trainbooking.yaml", "no such file"},
		"no map":    {file(t, "hello"), "lines such as hold-ttl: 5m"},
		"key twice": {file(t, "demo: true\ndemo: false\n"), "line 2: demo is set twice"},
		"two files": {file(t, "demo: true\n---\ndemo: false\n"), "one YAML document"},
		"no YAML":   {file(t, "demo: 'true"), "it is not YAML (line 1)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, sources := parse(t, nil, "--config", c.path)
			require.Len(t, sources.Problems(), 1)
			require.Contains(t, sources.Problems()[0], c.want)
		})
	}
}

func TestProblemsOfAFileDoNotQuoteAPassword(t *testing.T) {
	t.Parallel()
	const marker = "marker-7d1f0a"
	for _, text := range []string{
		"postgres://u:" + marker + "@localhost/db", "postgres://u:" + marker + "@localhost: x", "redis-url: *" + marker,
		"redis-url: \"" + marker, "redis-url: !" + marker + " x: y", "redis-url: a: " + marker,
		"? " + marker + "\n: 1", marker + ": 1\n" + marker + ": 2\n", "- " + marker, "redis-url: \"\\q" + marker + "\"",
		"redis-url: [" + marker + "]", "redis-url: {a: " + marker + "}", "%" + marker, "@" + marker, "redis-url:\n\t" + marker,
	} {
		_, sources := parse(t, nil, "--config", file(t, text))
		require.NotEmpty(t, sources.Problems(), text)
		require.NotContains(t, sources.Problems().Error(), marker, text)
	}
}

func TestEmptyFileHasAllDefaults(t *testing.T) {
	t.Parallel()
	got, sources := parse(t, nil, "--config", file(t, ""))
	require.Empty(t, sources.Problems())
	require.Equal(t, config.Default(), got)
}

func TestMisspelledVariableCausesAWarning(t *testing.T) {
	t.Parallel()
	_, sources := parse(t, []string{
		"TRAINBOOKING_HOLDTTL=5m", "TRAINBOOKING_HOLD_TTL=5m", "TRAINBOOKING_CONFIG=example.yaml", "HOME=/root",
		// What Kubernetes sets for a service named trainbooking.
		"TRAINBOOKING_PORT=tcp://10.0.0.1:80", "TRAINBOOKING_SERVICE_HOST=10.0.0.1",
		"TRAINBOOKING_SERVICE_PORT_HTTP=80", "TRAINBOOKING_PORT_80_TCP_ADDR=10.0.0.1",
	})
	require.Equal(t, []string{
		"TRAINBOOKING_HOLDTTL is set but is not a setting; see trainbooking serve --help",
	}, sources.Warnings())
}

func TestYesAndNoAreTrueAndFalse(t *testing.T) {
	t.Parallel()
	got, sources := parse(t, []string{"TRAINBOOKING_DEMO=yes"}, "--config", file(t, "migrate: no\n"))
	require.Empty(t, sources.Problems())
	require.True(t, got.Demo)
	require.False(t, got.Migrate)
}
