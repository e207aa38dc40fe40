package main

import (
	"fmt"
	"net/http"

	"trainbooking.dev/api/client"
	"trainbooking.dev/cmd/internal/setting"
)

// caUsage describes --ca of the commands that call the service.
const caUsage = "`FILE` with the certificate authority of the service, PEM. (default those of the system)"

// newHTTPClient returns a client of the service, for options that have --url and --ca.
func newHTTPClient(o client.Options) (*http.Client, error) {
	transport, err := client.NewTransport(o)
	if err != nil {
		return nil, usageError{fmt.Errorf("--ca: %w", setting.WithoutPath(err))}
	}
	o.HTTP = &http.Client{Transport: transport}
	if _, err := client.New(o); err != nil {
		return nil, usageError{fmt.Errorf("--url: %w", err)}
	}
	return o.HTTP, nil
}
