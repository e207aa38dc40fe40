package embedded_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

func TestSecondServerOnOneDataDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start(t, dir)
	second := launch(t, dir)
	require.Equal(t, 1, second.Wait())
	require.Equal(t, "trainbooking: the data directory "+dir+" is in use by another server: "+
		"stop that one first, or give this one a data directory of its own\n", second.Log.String())
}

func TestTakenPortIsNamed(t *testing.T) {
	t.Parallel()
	other, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = other.Close() })
	for _, flag := range []string{"--listen", "--metrics-listen"} {
		s := launch(t, t.TempDir(), flag, other.Addr().String())
		require.Equal(t, 1, s.Wait())
		require.Contains(t, s.Log.String(), "trainbooking: "+flag+" "+other.Addr().String()+
			" is taken by another program: stop that one, or set "+flag+" to another port\n")
	}
}

func TestAllWrongSettingsAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	file := processtest.TempFile(t, "hold-ttl: soon\nholdttl: 3m\n")
	c := processtest.Command(t, "serve", "--config", file, "--max-holds-per-user", "0")
	c.Env = append(c.Env, "TRAINBOOKING_LISTEN=8080", "TRAINBOOKING_LOGIN_FAILURES=many")
	got := processtest.RunToEnd(t, c)
	require.Equal(t, 2, got.Code)
	for _, problem := range []string{
		"holdttl is not a setting",
		`hold-ttl "soon" is not a time`,
		`TRAINBOOKING_LOGIN_FAILURES "many" is not a whole number`,
		`--listen "8080" is not an address`,
		"--max-holds-per-user 0 is out of range",
	} {
		require.Contains(t, got.Err, problem)
	}
	require.NoDirExists(t, filepath.Join(c.Dir, "data"), "no data directory is created")
}

func TestWrongCommandLineExitsWithTwo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no command":      {nil, "expected one of"},
		"unknown command": {[]string{"sreve"}, "unexpected argument sreve"},
		"unknown flag":    {[]string{"serve", "--port", "80"}, "unknown flag: --port"},
		"wrong kind":      {[]string{"serve", "--hold-ttl", "soon"}, `invalid argument "soon" for "--hold-ttl"`},
		"one too many":    {[]string{"version", "now"}, "unexpected argument now"},
		"missing flag":    {[]string{"createsuperuser", "--username", "x"}, "missing flags: --email"},
		"no password":     {[]string{"createsuperuser", "--username", "x", "--email", "x@example.org"}, "--password-stdin"},
		"whose password":  {[]string{"set-password"}, "missing flags: --username"},
		"config":          {[]string{"migrate", "--config", "/nowhere"}, "--config /nowhere: no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, c.args...)
			require.Equal(t, 2, got.Code)
			require.Contains(t, got.Err, c.want)
		})
	}
}

func TestUnreadableSecretIsNamed(t *testing.T) {
	t.Parallel()
	short := processtest.TempFile(t, "too short\n")
	for _, flag := range []string{"--jwt-secret-file", "--service-token-file"} {
		for file, want := range map[string]string{"/nowhere": "no such file", short: "openssl rand"} {
			s := launch(t, t.TempDir(), flag, file)
			require.Equal(t, 2, s.Wait())
			require.Contains(t, s.Log.String(), flag)
			require.Contains(t, s.Log.String(), want)
		}
	}
}

func TestMisspeltVariableIsLoggedAsAWarning(t *testing.T) {
	t.Parallel()
	c := processtest.Command(t, "serve", "--hold-ttl", "0s", "--log-format", "json")
	c.Env = append(c.Env, "TRAINBOOKING_HOLDTTL=5m")
	require.NotContains(t, processtest.RunToEnd(t, c).Err, "HOLDTTL", "the settings are checked first")

	c = processtest.Command(t, "serve", "--listen", "127.0.0.1:1", "--metrics-listen", "192.0.2.1:1") // not an address of this machine
	c.Env = append(c.Env, "TRAINBOOKING_HOLDTTL=5m")
	got := processtest.RunToEnd(t, c)
	require.Equal(t, 1, got.Code)
	require.Contains(t, got.Err, `"level":"WARN","msg":"TRAINBOOKING_HOLDTTL is set but is not a setting`)
}

func TestCreateSuperuserRefusesWhatRegisterRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	create := func(name, password string) result {
		c := processtest.Command(t, "createsuperuser", "--data-dir", dir, "--username", name, "--email", "root@example.org", "--password-stdin")
		c.Stdin = bytes.NewBufferString(password)
		return processtest.RunToEnd(t, c)
	}
	got := create("", "short")
	require.Equal(t, 2, got.Code)
	require.Contains(t, got.Err, "password must have 8 to 128 characters")
	require.Contains(t, got.Err, "username must not be empty")
	require.Equal(t, 2, create("root", strings.Repeat("x", 129)).Code)

	require.Equal(t, result{Out: "root is an admin now.\n"}, create("root", password), "on an empty directory")
	taken := create("Root", password)
	require.Equal(t, 1, taken.Code)
	require.NotContains(t, taken.Err, password)
}

func TestHealthcheckUsesTheConfiguredAddress(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	address := strings.TrimPrefix(s.URL, "http://")
	for _, args := range [][]string{{"--url", s.URL}, {"--url", s.URL + "/"}, {"--listen", address}} {
		require.Equal(t, result{Out: "ready\n"}, run(t, append([]string{"healthcheck"}, args...)...))
	}
	c := processtest.Command(t, "healthcheck")
	c.Env = append(c.Env, "TRAINBOOKING_LISTEN="+address)
	require.Equal(t, result{Out: "ready\n"}, processtest.RunToEnd(t, c))

	// A service that listens on all addresses is checked on the loopback one.
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	for _, host := range []string{"", "0.0.0.0"} {
		require.Zero(t, run(t, "healthcheck", "--listen", net.JoinHostPort(host, port)).Code)
	}
	s.Stop()
	got := run(t, "healthcheck", "--url", s.URL)
	require.Equal(t, 1, got.Code)
	require.Contains(t, got.Err, "the service does not respond")
}

func TestMigrateRunsApartFromServe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	refused := launch(t, dir, "--migrate=false")
	require.Equal(t, 1, refused.Wait())
	require.Contains(t, refused.Log.String(), "run trainbooking migrate --data-dir "+dir)

	for range 2 { // the second run changes nothing
		got := run(t, "migrate", "--data-dir", dir)
		require.Zero(t, got.Code, got.Err)
		require.Contains(t, got.Out, "the newest")
	}
	start(t, dir, "--migrate=false").Stop()
}

func TestVersionIsPrinted(t *testing.T) {
	t.Parallel()
	got := run(t, "version")
	require.Zero(t, got.Code)
	require.Regexp(t, `^trainbooking devel \(go1\.\d+.*\)\n$`, got.Out)
}

func TestVersionAsJSONHasTheVersionOfTheTables(t *testing.T) {
	t.Parallel()
	got := run(t, "version", "--json")
	require.Zero(t, got.Code)
	var version struct {
		Version, Go, OS, Arch string
		Schema                struct{ SQLite, Postgres int64 }
	}
	require.NoError(t, json.Unmarshal([]byte(got.Out), &version))
	require.Equal(t, []string{"devel", runtime.Version(), runtime.GOOS, runtime.GOARCH},
		[]string{version.Version, version.Go, version.OS, version.Arch})
	require.Contains(t, run(t, "migrate", "--data-dir", t.TempDir()).Out, fmt.Sprintf("has version %d, the newest", version.Schema.SQLite))
	require.Positive(t, version.Schema.Postgres)
}

func TestShellsCompleteTheCommandLine(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"se":                         "serve\tRun the service.\nset-password\tGive a user a new password. The service may be running.\n:4\n",
		"serve --log-level ":         "debug\ninfo\nwarn\nerror\n:4\n",
		"serve --log-format ":        "auto\nconsole\njson\n:4\n",
		"serve --advertise ":         ":4\n",  // nothing, and no files
		"serve --jwt-secret-file ":   ":0\n",  // files
		"migrate --data-dir ":        ":16\n", // directories
		"import gtfs ":               ":0\n",
		"import gtfs x --output ":    "yaml\n:4\n",
		"createsuperuser --username": "--username\tNAME of the admin.\n:4\n",
	} {
		require.Equal(t, want, run(t, append([]string{"__complete"}, strings.Split(line, " ")...)...).Out, line)
	}
}
