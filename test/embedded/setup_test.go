package embedded_test

import (
	"testing"

	"trainbooking.dev/test/processtest"
)

const (
	password = processtest.Password
	timeout  = processtest.Timeout
)

type (
	object = processtest.Object
	client = processtest.Client
	server = processtest.Server
	result = processtest.Result
)

// start runs trainbooking serve on dir and waits until it serves.
func start(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	return processtest.Start(t, append([]string{"--data-dir", dir}, args...)...)
}

// launch is start that does not wait.
func launch(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	return processtest.Launch(t, append([]string{"--data-dir", dir}, args...)...)
}

// createAdmin makes an admin beside the server that works on dir, and logs in.
func createAdmin(t *testing.T, dir, url string) *client {
	t.Helper()
	return processtest.CreateAdmin(t, url, "--data-dir", dir)
}
