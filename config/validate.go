package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

// MaxLoginFailures is more than a user can mistype in a minute.
const MaxLoginFailures = 1000

// MaxRegistrations is more than the processes of a cluster can hash passwords in an hour for one
// address.
const MaxRegistrations = 1_000_000

// MaxShutdownDelay is longer than any load balancer needs to notice a failed check.
const MaxShutdownDelay = time.Minute

// Problems has a message for each problem of the settings.
type Problems []string

func (p Problems) Error() string {
	return "the settings are not valid:\n  " + strings.Join(p, "\n  ")
}

// Validate returns all problems of the settings. It reads no file and opens no port.
func (c *Config) Validate() Problems {
	var p Problems
	p.address("listen", c.Listen)
	p.address("metrics-listen", c.MetricsListen)
	if (c.TLSCert == "") != (c.TLSKey == "") {
		p.add("only one of --tls-cert and --tls-key is set; set both or neither")
	}
	if _, port, err := net.SplitHostPort(c.Listen); err == nil && port != "0" && c.Listen == c.MetricsListen {
		p.add("--metrics-listen %s is the address of --listen; set one of them to another port", c.MetricsListen)
	}
	p = append(p, c.Store.Validate()...)
	p = append(p, c.Redis.Validate()...)
	p.mode(c)
	p.duration("hold-ttl", c.HoldTTL, booking.MinHoldTTL, booking.MaxHoldTTL)
	p.number("max-holds-per-user", c.MaxHoldsPerUser, 1, booking.MaxCapacity)
	p.number("max-seats-per-user", c.MaxSeatsPerUser, 0, booking.MaxCapacity)
	p.duration("rehold-pause", c.ReholdPause, 0, booking.MaxHoldTTL)
	p.duration("access-ttl", c.AccessTTL, time.Second, auth.MaxTTL)
	p.duration("refresh-ttl", c.RefreshTTL, time.Second, auth.MaxTTL)
	if c.RefreshTTL < c.AccessTTL {
		p.add("--refresh-ttl %s is shorter than --access-ttl %s; set it longer, or clients cannot refresh",
			formatDuration(c.RefreshTTL), formatDuration(c.AccessTTL))
	}
	p.number("login-failures", c.LoginFailures, 0, MaxLoginFailures)
	p.number("registrations", c.Registrations, 0, MaxRegistrations)
	if _, err := c.Proxies(); err != nil {
		p.add("--trusted-proxies %q is not a list of networks; set it to networks such as 10.0.0.0/8,192.168.1.7/32", c.TrustedProxies)
	}
	if _, wrong := c.Origins(); wrong != "" {
		p.add("--cors-origins has %q, which browsers never send as an origin; write each as they do, such as https://a.example or http://localhost:3000", wrong)
	}
	p.duration("shutdown-delay", c.ShutdownDelay, 0, MaxShutdownDelay)
	switch c.LogFormat {
	case LogAuto, LogConsole, LogJSON:
	default:
		p.add("--log-format %q is unknown; set it to %s, %s or %s", c.LogFormat, LogAuto, LogConsole, LogJSON)
	}
	if _, err := ParseLevel(c.LogLevel); err != nil {
		p.add("--log-level %q is unknown; set it to debug, info, warn or error", c.LogLevel)
	}
	return p
}

// Proxies returns the networks of TrustedProxies.
func (c *Config) Proxies() (networks []netip.Prefix, err error) {
	for text := range strings.SplitSeq(c.TrustedProxies, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		networks = append(networks, network)
	}
	return networks, nil
}

// ParseLevel parses a log level: debug, info, warn or error.
func ParseLevel(s string) (level slog.Level, err error) {
	err = level.UnmarshalText([]byte(s))
	return level, err
}

func (p *Problems) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

func (p *Problems) address(name, address string) {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		p.add("--%s %q is not an address; set it to host:port or :port, such as %s", name, address, example(address, ":8080"))
	}
}

func (p *Problems) duration(name string, d, minimum, maximum time.Duration) {
	if d < minimum || d > maximum {
		p.add("--%s %s is out of range; set it to %s to %s", name, formatDuration(d), formatDuration(minimum), formatDuration(maximum))
	}
}

func (p *Problems) number(name string, n, minimum, maximum int) {
	if n < minimum || n > maximum {
		p.add("--%s %d is out of range; set it to %d to %d", name, n, minimum, maximum)
	}
}

// formatDuration formats 3m0s as 3m and 24h0m0s as 24h.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
