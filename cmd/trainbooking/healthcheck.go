package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"trainbooking.dev/config"
)

// healthTimeout is below the ten seconds or more that container runtimes give a check.
const healthTimeout = 5 * time.Second

type healthcheck struct {
	config.HTTP

	URL string `name:"url" placeholder:"URL" help:"The service to ask (http://localhost and the port of --listen)."`
}

// Run fails unless the service says that it is ready.
func (c *healthcheck) Run(ctx context.Context, sources *config.Sources, std streams) error {
	if problems := sources.Problems(); len(problems) > 0 {
		return usageError{problems}
	}
	base := c.URL
	if base == "" {
		base = localURL(c.Listen)
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/readyz", http.NoBody)
	if err != nil {
		return usageError{fmt.Errorf("--url: %w", err)}
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("the service does not answer: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("the service broke off its answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the service is not ready: %s %s", answer.Status, strings.TrimSpace(string(body)))
	}
	_, err = fmt.Fprintln(std.out, "ready")
	return err
}

// localURL returns how this machine reaches a service that listens on address: one that
// listens everywhere is reached on the loopback interface.
func localURL(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "http://" + address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
