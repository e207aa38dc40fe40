package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"trainbooking.dev/api/client"
	"trainbooking.dev/config"
)

// healthTimeout is shorter than the health check timeouts of container runtimes, which are
// ten seconds or more.
const healthTimeout = 5 * time.Second

type healthcheck struct {
	config.HTTP

	URL string
	CA  string
}

// AddFlags implements action.
func (c *healthcheck) AddFlags(f *pflag.FlagSet) {
	c.HTTP.AddFlags(f)
	f.StringVar(&c.URL, "url", "", "`URL` of the service. (default localhost with the port of --listen, https with --tls-cert)")
	f.StringVar(&c.CA, "ca", "", caUsage)
}

// Run fails unless /readyz of the service returns 200.
func (c *healthcheck) Run(ctx context.Context, sources *config.Sources, std stdio) error {
	if problems := sources.Problems(); len(problems) > 0 {
		return usageError{problems}
	}
	base := c.URL
	if base == "" {
		base = localURL(c.Scheme(), c.Listen)
	}
	sender, err := c.client(base)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/readyz", http.NoBody)
	if err != nil {
		return usageError{err}
	}
	response, err := sender.Do(request)
	if err != nil {
		return fmt.Errorf("the service does not respond: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("read the response of the service: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the service is not ready: %s %s", response.Status, strings.TrimSpace(string(body)))
	}
	_, err = fmt.Fprintln(std.out, "ready")
	return err
}

// client returns the client of the check. It uses no proxy, which could only reach another service.
//
// Without --url and --ca it does not verify the certificate: it connects to localhost, for which no
// certificate is valid, and sends no secret. If the certificate has expired, the restart that a failed
// check causes would not help.
func (c *healthcheck) client(base string) (*http.Client, error) {
	if c.URL == "" && c.CA == "" {
		unverified := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // see above
		return &http.Client{Transport: &http.Transport{TLSClientConfig: unverified}}, nil
	}
	return newHTTPClient(client.Options{URL: base, CAFile: c.CA, NoProxy: true})
}

// localURL returns the URL at which this machine reaches a service that listens on address.
// An unspecified host becomes localhost.
func localURL(scheme, address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return scheme + "://" + address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
