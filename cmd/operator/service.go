package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/google/uuid"

	"trainbooking.dev/api/client"
)

// client returns a client of the booking service with the service token. It ignores proxies: the service is
// in the cluster, and the token must not leave it.
func (s *settings) client() (*client.Client, error) {
	return client.New(client.Options{
		URL: s.ServiceURL, UserAgent: "trainbooking-operator/" + version, CAFile: s.ServiceCA, NoProxy: true,
		// A mounted Secret changes while the process runs, so the file is read for each request
		// that needs the token.
		Token: func(context.Context, uuid.UUID) (string, error) { return readToken(s.ServiceTokenFile) },
	})
}

// readToken returns the first line of the file. The service accepts any line of it, so that
// tokens can be rotated.
func readToken(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSpace(line); line == "" {
		return "", errors.New("the first line is empty; it must be the service token")
	}
	return line, nil
}
