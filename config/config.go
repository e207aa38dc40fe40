// Package config has the settings of the service: the Config struct, its defaults, its
// validation, and the sources of settings.
//
// A setting has three sources. In order of precedence:
//
//	--hold-ttl 5m                     a flag
//	TRAINBOOKING_HOLD_TTL=5m          the environment; an empty variable counts as unset
//	hold-ttl: 5m                      the file of --config
//
// Without any of them, a setting has its default. pflag reads the flags and has the defaults;
// Sources provides the environment and the file.
//
// # Failure
//
// Sources.Problems and Config.Validate return all problems at once, each with what to set.
// An unknown variable TRAINBOOKING_* is only a warning, because other programs may set such
// variables.
package config

import (
	"time"

	"github.com/spf13/pflag"

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

// Config has all settings of trainbooking serve.
type Config struct {
	Store
	Cluster
	HTTP

	MetricsListen string
	Pprof         bool
	Migrate       bool
	Demo          bool
	Page          bool

	HoldTTL         time.Duration
	MaxHoldsPerUser int
	MaxSeatsPerUser int
	ReholdPause     time.Duration

	JWTSecretFile    string
	AccessTTL        time.Duration
	RefreshTTL       time.Duration
	ServiceTokenFile string
	LoginFailures    int
	Registrations    int

	TrustedProxies string
	CORSOrigins    string

	ShutdownDelay time.Duration

	LogFormat string
	LogLevel  string
}

// AddFlags adds a flag for each setting. It sets the settings to their defaults.
func (c *Config) AddFlags(f *pflag.FlagSet) {
	c.Store.AddFlags(f)
	c.Cluster.AddFlags(f)
	c.HTTP.AddFlags(f)

	c.MetricsListen = DefaultMetricsListen
	f.Var((*address)(&c.MetricsListen), "metrics-listen", "`ADDRESS` to serve metrics on.")
	f.BoolVar(&c.Pprof, "pprof", false, "Serve profiles on the address of the metrics.")
	f.BoolVar(&c.Migrate, "migrate", true, "Migrate the store at start. With --migrate=false, run trainbooking migrate first.")
	f.BoolVar(&c.Demo, "demo", false, "Add a small timetable if the store has no train.")
	f.BoolVar(&c.Page, "page", true, "Serve the page for passengers and clerks at /. With --page=false, only the API is served.")

	f.DurationVar(&c.HoldTTL, "hold-ttl", booking.DefaultHoldTTL, "`TIME` for which a seat stays locked, 1s to 24h.")
	f.IntVar(&c.MaxHoldsPerUser, "max-holds-per-user", booking.DefaultMaxHolds, "Maximum number `N` of seats that a user may hold on one train.")
	f.IntVar(&c.MaxSeatsPerUser, "max-seats-per-user", 0, "Maximum number `N` of seats of one train that a user may have, held and booked; 0 for no limit. Admins have none.")
	f.DurationVar(&c.ReholdPause, "rehold-pause", booking.DefaultReholdPause, "How long a user cannot hold a seat again that somebody else wanted meanwhile; 0 for no pause.")

	f.StringVar(&c.JWTSecretFile, "jwt-secret-file", "", "`FILE` with signing secrets, one per line; the first signs. Required for a cluster. Without it, a secret is created in --data-dir.")
	f.DurationVar(&c.AccessTTL, "access-ttl", auth.DefaultAccessTTL, "`TIME` for which an access token is valid.")
	f.DurationVar(&c.RefreshTTL, "refresh-ttl", auth.DefaultRefreshTTL, "`TIME` for which a refresh token is valid.")
	f.StringVar(&c.ServiceTokenFile, "service-token-file", "", "`FILE` with bearer tokens for machines that may change trains, one per line.")
	f.IntVar(&c.LoginFailures, "login-failures", auth.DefaultLoginFailures, "Maximum number `N` of failed logins per minute for one account and address; 0 for no limit.")
	f.IntVar(&c.Registrations, "registrations", auth.DefaultRegistrations, "Maximum number `N` of registrations per hour from one address; 0 for no limit.")

	f.StringVar(&c.TrustedProxies, "trusted-proxies", "", "`NETWORKS` of trusted proxies, separated by commas. Their X-Forwarded-For is used as the address of the client.")

	f.StringVar(&c.CORSOrigins, "cors-origins", "", "`ORIGINS` whose pages may call the API, separated by commas, such as https://a.example.")
	f.DurationVar(&c.ShutdownDelay, "shutdown-delay", DefaultShutdownDelay, "`TIME` for which the service serves requests after SIGTERM while /readyz returns 503, up to 1m.")

	f.StringVar(&c.LogFormat, "log-format", DefaultLogFormat, "`FORMAT` of the log: auto (console on a terminal, JSON otherwise), console or json.")
	f.StringVar(&c.LogLevel, "log-level", DefaultLogLevel, "`LEVEL` of the log: debug, info, warn or error.")
}

// HTTP has the settings of the API server.
type HTTP struct {
	Listen string

	TLSCert string
	TLSKey  string
}

// AddFlags adds the flags of the API server.
func (h *HTTP) AddFlags(f *pflag.FlagSet) {
	h.Listen = DefaultListen
	f.Var((*address)(&h.Listen), "listen", "`ADDRESS` to serve clients on.")
	f.StringVar(&h.TLSCert, "tls-cert", "", "`FILE` with the certificate for clients and those of its intermediate authorities, PEM. Without it, clients use HTTP.")
	f.StringVar(&h.TLSKey, "tls-key", "", "`FILE` with the private key of --tls-cert, PEM.")
}

// Scheme returns the scheme of the URL for clients.
func (h *HTTP) Scheme() string {
	if h.HasTLS() {
		return "https"
	}
	return "http"
}

// HasTLS reports whether clients use HTTPS.
func (h *HTTP) HasTLS() bool { return h.TLSCert != "" }

// Default returns the default settings.
func Default() Config {
	var c Config
	c.AddFlags(newFlags())
	return c
}

// newFlags returns an empty set of flags, which keeps their order.
func newFlags() *pflag.FlagSet {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.SortFlags = false
	return f
}
