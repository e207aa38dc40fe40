package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/google/uuid"

	"trainbooking.dev/api/client"
)

// client returns a client of the booking service that has the service token.
func (s *settings) client() (*client.Client, error) {
	return client.New(client.Options{
		URL: s.ServiceURL, UserAgent: "trainbooking-operator/" + version,
		// A secret that is mounted changes under the running process. The file is read for
		// each change of a train, which costs nothing beside the request.
		Token: func(context.Context, uuid.UUID) (string, error) { return readToken(s.ServiceTokenFile) },
	})
}

// readToken returns the first line of the file. The service takes any of its lines, so that
// tokens can be changed.
func readToken(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSpace(line); line == "" {
		return "", errors.New("the first line is empty, and should be the service token")
	}
	return line, nil
}
