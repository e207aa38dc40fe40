package embedded_test

import (
	"testing"

	"trainbooking.dev/test/processtest"
)

const (
	password = processtest.Password
	timeout  = processtest.Timeout
)

type result = processtest.Result

// start runs trainbooking serve on dir and waits until it listens.
func start(t *testing.T, dir string, args ...string) *processtest.Server {
	t.Helper()
	return processtest.Start(t, append([]string{"--data-dir", dir}, args...)...)
}

// launch is start without the wait.
func launch(t *testing.T, dir string, args ...string) *processtest.Process {
	t.Helper()
	return processtest.Launch(t, append([]string{"--data-dir", dir}, args...)...)
}

// run runs a command of trainbooking and waits until it exits.
func run(t *testing.T, args ...string) result {
	t.Helper()
	return processtest.RunToEnd(t, processtest.Command(t, args...))
}

// createAdmin creates an admin in dir and logs in to the server at url, which runs on dir.
func createAdmin(t *testing.T, dir, url string) *processtest.Client {
	t.Helper()
	return processtest.CreateAdmin(t, url, "--data-dir", dir)
}
