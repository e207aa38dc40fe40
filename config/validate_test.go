package config_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/config"
)

func TestDefaultsAreValid(t *testing.T) {
	t.Parallel()
	c := config.Default()
	require.Empty(t, c.Validate())
}

func TestEachRuleSaysWhatToSet(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*config.Config){
		`--listen "8080" is not an address; set it to host:port or :port, such as :8080`: func(c *config.Config) { c.Listen = "8080" },
		`--listen ":99999" is not an address; set it to host:port or :port, such as :8080`: func(c *config.Config) {
			c.Listen = ":99999"
		},
		`--metrics-listen "" is not an address; set it to host:port or :port, such as :8080`: func(c *config.Config) {
			c.MetricsListen = ""
		},
		"--metrics-listen :8080 is the address of --listen; set one of them to another port": func(c *config.Config) {
			c.MetricsListen = c.Listen
		},
		"only one of --tls-cert and --tls-key is set; set both or neither": func(c *config.Config) { c.TLSCert = "x" },
		"--data-dir is empty; set it to a directory that this user can write, such as data": func(c *config.Config) {
			c.DataDir = ""
		},
		"--hold-ttl 999ms is out of range; set it to 1s to 24h": func(c *config.Config) {
			c.HoldTTL = time.Second - time.Millisecond
		},
		"--hold-ttl 24h0m1s is out of range; set it to 1s to 24h": func(c *config.Config) {
			c.HoldTTL = 24*time.Hour + time.Second
		},
		"--max-holds-per-user 0 is out of range; set it to 1 to 20000":  func(c *config.Config) { c.MaxHoldsPerUser = 0 },
		"--max-seats-per-user -1 is out of range; set it to 0 to 20000": func(c *config.Config) { c.MaxSeatsPerUser = -1 },
		"--rehold-pause -1s is out of range; set it to 0s to 24h":       func(c *config.Config) { c.ReholdPause = -time.Second },
		"--access-ttl 0s is out of range; set it to 1s to 8784h":        func(c *config.Config) { c.AccessTTL = 0 },
		"--refresh-ttl 10m is shorter than --access-ttl 20m; set it longer, or clients cannot refresh": func(c *config.Config) {
			c.RefreshTTL = 10 * time.Minute
		},
		`--trusted-proxies "10.0.0.0" is not a list of networks; set it to networks such as 10.0.0.0/8,192.168.1.7/32`: func(c *config.Config) { c.TrustedProxies = "10.0.0.0" },

		"--login-failures -1 is out of range; set it to 0 to 1000":   func(c *config.Config) { c.LoginFailures = -1 },
		"--registrations -1 is out of range; set it to 0 to 1000000": func(c *config.Config) { c.Registrations = -1 },
		"--registrations 1000001 is out of range; set it to 0 to 1000000": func(c *config.Config) {
			c.Registrations = config.MaxRegistrations + 1
		},
		"--shutdown-delay 1m1s is out of range; set it to 0s to 1m": func(c *config.Config) {
			c.ShutdownDelay = time.Minute + time.Second
		},
		`--log-format "xml" is unknown; set it to auto, console or json`: func(c *config.Config) {
			c.LogFormat = "xml"
		},
		`--log-level "loud" is unknown; set it to debug, info, warn or error`: func(c *config.Config) {
			c.LogLevel = "loud"
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			c := config.Default()
			change(&c)
			require.Equal(t, config.Problems{want}, c.Validate())
		})
	}
}

func TestLimitsOfARangeAreValid(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{time.Second, 24 * time.Hour} {
		c := config.Default()
		c.HoldTTL = ttl
		require.Empty(t, c.Validate())
	}
}

func TestBothPortsMayBeZero(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Listen, c.MetricsListen = ":0", ":0"
	require.Empty(t, c.Validate())
}

func TestValidateReportsAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	c := config.Config{}
	require.Len(t, c.Validate(), 9)
	require.ErrorContains(t, c.Validate(), "the settings are not valid:\n  --listen")
}

func TestProxiesAreTheNetworksOfTheList(t *testing.T) {
	t.Parallel()
	c := config.Default()
	none, err := c.Proxies()
	require.NoError(t, err)
	require.Empty(t, none, "no proxy is trusted")

	c.TrustedProxies = "10.0.0.0/8, fd00::/8"
	networks, err := c.Proxies()
	require.NoError(t, err)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}, networks)
}
