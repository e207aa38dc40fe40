package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"github.com/google/uuid"

	"trainbooking.dev/api/client"
	"trainbooking.dev/cmd/internal/setting"
)

// client returns a client of the booking service with the service token. It ignores proxies: the service is
// in the cluster, and the token must not leave it.
func (s *settings) client() (*client.Client, error) {
	log := s.logger()
	transport, err := client.NewTransport(client.Options{CAFile: s.ServiceCA, NoProxy: true, Logger: log})
	if err != nil {
		return nil, fmt.Errorf("--service-ca: %w", setting.WithoutPath(err))
	}
	token := &tokenFile{path: s.ServiceTokenFile, log: log}
	c, err := client.New(client.Options{
		URL: s.ServiceURL, UserAgent: "trainbooking-operator/" + version, HTTP: &http.Client{Transport: transport},
		Token: func(context.Context, uuid.UUID) (string, error) { return token.read() },
	})
	if err != nil {
		return nil, fmt.Errorf("--service-url: %w", err)
	}
	return c, nil
}

// tokenFile is the file of the service token. A mounted Secret changes while the process runs, so it is
// read for each request that needs the token.
type tokenFile struct {
	path string
	log  *slog.Logger

	mu      sync.Mutex
	last    string // token
	problem string // that is logged
}

// read returns the token. While the file cannot be used, it is the last one.
func (f *tokenFile) read() (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	token, err := setting.Token(f.path)
	switch {
	case err == nil:
		f.last, f.problem = token, ""
	case f.last == "":
		return "", err
	case err.Error() != f.problem:
		f.problem = err.Error()
		f.log.Warn("the file of --service-token-file cannot be used; the last token stays in use", "error", err)
	}
	return f.last, nil
}
