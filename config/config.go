// Package config has the settings of the service: the Config struct, its defaults, its
// validation, and the sources of settings.
//
// A setting has three sources. In order of precedence:
//
//	--hold-ttl 5m                     a flag
//	TRAINBOOKING_HOLD_TTL=5m          the environment; an empty variable counts as unset
//	hold-ttl: 5m                      the file of --config
//
// Without any of them, a setting has its default. Kong reads the flags and the defaults;
// Sources provides the environment and the file.
//
// # Failure
//
// Sources.Problems and Config.Validate return all problems at once. Each problem says what
// to set. An unknown variable TRAINBOOKING_* is only a warning, because other programs may
// set such variables.
package config

import (
	"strconv"
	"time"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

// The defaults that no other package defines.
const (
	DefaultListen        = ":8080"
	DefaultMetricsListen = ":9090"
	DefaultDataDir       = "data"
	DefaultLogFormat     = LogAuto
	DefaultLogLevel      = "info"
	DefaultShutdownDelay = time.Duration(0)
)

// The log formats.
const (
	LogAuto    = "auto" // console on a terminal, JSON otherwise
	LogConsole = "console"
	LogJSON    = "json"
)

// Config has all settings of trainbooking serve. The tags are for Kong.
type Config struct {
	Store
	Cluster
	HTTP

	MetricsListen string `default:"${metrics_listen}" placeholder:"ADDRESS" help:"Address to serve metrics on (${default})."`
	Pprof         bool   `help:"Serve profiles on the address of the metrics."`
	Migrate       bool   `default:"true" help:"Migrate the store at start. With --migrate=false, run trainbooking migrate first."`
	Demo          bool   `help:"Add a few trains if the store has none."`

	HoldTTL         time.Duration `name:"hold-ttl" default:"${hold_ttl}" placeholder:"TIME" help:"How long a seat stays locked, 1s to 24h (${default})."`
	MaxHoldsPerUser int           `default:"${max_holds_per_user}" placeholder:"N" help:"Maximum number of seats that a user may hold on one train (${default})."`

	JWTSecretFile    string        `name:"jwt-secret-file" placeholder:"FILE" help:"File with signing secrets, one per line; the first signs. Required for a cluster. Without it, a secret is created in --data-dir."`
	AccessTTL        time.Duration `name:"access-ttl" default:"${access_ttl}" placeholder:"TIME" help:"How long an access token is valid (${default})."`
	RefreshTTL       time.Duration `name:"refresh-ttl" default:"${refresh_ttl}" placeholder:"TIME" help:"How long a refresh token is valid (${default})."`
	ServiceTokenFile string        `placeholder:"FILE" help:"File with bearer tokens for machines that may change trains, one per line."`
	LoginFailures    int           `default:"${login_failures}" placeholder:"N" help:"Maximum number of failed logins per minute for one account and address; 0 for no limit (${default})."`

	TrustedProxies string `placeholder:"NETWORKS" help:"Networks of trusted proxies, separated by commas. Their X-Forwarded-For is used as the address of the client."`

	ShutdownDelay time.Duration `default:"${shutdown_delay}" placeholder:"TIME" help:"How long the service serves requests after SIGTERM while /readyz returns 503, up to 1m (${default})."`

	LogFormat string `default:"${log_format}" placeholder:"FORM" help:"auto (console on a terminal, JSON otherwise), console or json (${default})."`
	LogLevel  string `default:"${log_level}" placeholder:"LEVEL" help:"debug, info, warn or error (${default})."`
}

// HTTP has the settings of the API server.
type HTTP struct {
	Listen string `default:"${listen}" placeholder:"ADDRESS" help:"Address to serve clients on (${default})."`
}

// Default returns the default settings.
func Default() Config {
	return Config{
		Store:           Store{DataDir: DefaultDataDir},
		HTTP:            HTTP{Listen: DefaultListen},
		MetricsListen:   DefaultMetricsListen,
		Migrate:         true,
		HoldTTL:         booking.DefaultHoldTTL,
		MaxHoldsPerUser: booking.DefaultMaxHolds,
		AccessTTL:       auth.DefaultAccessTTL,
		RefreshTTL:      auth.DefaultRefreshTTL,
		LoginFailures:   auth.DefaultLoginFailures,
		ShutdownDelay:   DefaultShutdownDelay,
		LogFormat:       DefaultLogFormat,
		LogLevel:        DefaultLogLevel,
	}
}

// Vars returns the defaults by their names in the tags.
func Vars() map[string]string {
	c := Default()
	return map[string]string{
		"listen":             c.Listen,
		"metrics_listen":     c.MetricsListen,
		"data_dir":           c.DataDir,
		"hold_ttl":           short(c.HoldTTL),
		"max_holds_per_user": strconv.Itoa(c.MaxHoldsPerUser),
		"access_ttl":         short(c.AccessTTL),
		"refresh_ttl":        short(c.RefreshTTL),
		"shutdown_delay":     short(c.ShutdownDelay),
		"login_failures":     strconv.Itoa(c.LoginFailures),
		"log_format":         c.LogFormat,
		"log_level":          c.LogLevel,
	}
}
