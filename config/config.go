// Package config is the settings of the service: one Config struct, its defaults, its
// rules, and where a setting comes from.
//
// A setting has one name and three places, the first that has it wins:
//
//	--hold-ttl 5m                     a flag
//	TRAINBOOKING_HOLD_TTL=5m          the environment; an empty variable is none
//	hold-ttl: 5m                      the file named by --config
//
// and its default otherwise. Kong reads the flags and the defaults; Sources gives it
// the other two.
//
// # Failure
//
// Nothing here stops at the first mistake: Sources.Problems and Config.Validate return
// every problem, each a sentence that says what to set. A variable TRAINBOOKING_* that
// is no setting is a warning, because others may set such variables.
package config

import (
	"strconv"
	"time"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

// The defaults that belong to no other package.
const (
	DefaultListen        = ":8080"
	DefaultMetricsListen = ":9090"
	DefaultDataDir       = "data"
	DefaultLogFormat     = LogAuto
	DefaultLogLevel      = "info"
	DefaultShutdownDelay = time.Duration(0)
)

// The forms of the log.
const (
	LogAuto    = "auto" // console on a terminal, JSON otherwise
	LogConsole = "console"
	LogJSON    = "json"
)

// Config is every setting of trainbooking serve. The tags are for Kong.
type Config struct {
	Store
	Cluster
	HTTP

	MetricsListen string `default:"${metrics_listen}" placeholder:"ADDRESS" help:"Where to serve metrics (${default})."`
	Pprof         bool   `help:"Serve profiles beside the metrics."`
	Migrate       bool   `default:"true" help:"Bring the store up to date at start; --migrate=false leaves that to trainbooking migrate."`
	Demo          bool   `help:"Add a handful of trains when there is none."`

	HoldTTL         time.Duration `name:"hold-ttl" default:"${hold_ttl}" placeholder:"TIME" help:"How long a seat stays locked, 1s to 24h (${default})."`
	MaxHoldsPerUser int           `default:"${max_holds_per_user}" placeholder:"N" help:"Seats that a user may hold on one train at once (${default})."`

	JWTSecretFile    string        `name:"jwt-secret-file" placeholder:"FILE" help:"Signing secrets, one a line, the first signs. Without it one is made in --data-dir; a cluster needs it."`
	AccessTTL        time.Duration `name:"access-ttl" default:"${access_ttl}" placeholder:"TIME" help:"How long an access token lives (${default})."`
	RefreshTTL       time.Duration `name:"refresh-ttl" default:"${refresh_ttl}" placeholder:"TIME" help:"How long a refresh token lives (${default})."`
	ServiceTokenFile string        `placeholder:"FILE" help:"Bearer tokens of machines that may change trains, one a line."`
	LoginFailures    int           `default:"${login_failures}" placeholder:"N" help:"Failed logins a minute for one account and address; 0 is no limit (${default})."`

	TrustedProxies string `placeholder:"NETWORKS" help:"Networks, separated by commas, whose X-Forwarded-For says who the client is. Without it the peer of the connection is."`

	ShutdownDelay time.Duration `default:"${shutdown_delay}" placeholder:"TIME" help:"How long to say on /readyz that the service stops and to go on taking requests, up to 1m (${default})."`

	LogFormat string `default:"${log_format}" placeholder:"FORM" help:"auto (console on a terminal, JSON otherwise), console or json (${default})."`
	LogLevel  string `default:"${log_level}" placeholder:"LEVEL" help:"debug, info, warn or error (${default})."`
}

// HTTP is where clients are served.
type HTTP struct {
	Listen string `default:"${listen}" placeholder:"ADDRESS" help:"Where to serve clients (${default})."`
}

// Default returns the settings of a service that was told nothing.
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

// Vars returns the defaults as the tags name them.
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
