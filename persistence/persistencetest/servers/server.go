package servers

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Server is a server of one test. Its methods fail the test when they cannot do what
// they say, and are called from the test's goroutine.
type Server struct {
	// Address is how clients reach it: a URL for Postgres, host:port for Redis. It stays
	// the same when the server is killed and started again.
	Address string

	process *process
}

// Kill kills the server at once, as kill -9 does. What it had written stays.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, s.process.kill())
}

// Halt ends the server with a signal that it may handle, and returns when it is gone. What
// it had written stays. Postgres stops fast on INT, ending its sessions in order, and
// immediately on QUIT, as if it had crashed.
func (s *Server) Halt(tb testing.TB, signal string) {
	tb.Helper()
	require.NoError(tb, s.process.halt(signal))
}

// Start starts a server that was killed or halted, and returns when it takes connections.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, s.process.restart())
}

// Pause stops the server without ending it (SIGSTOP): its connections stay and nothing
// answers. The sessions of Postgres are processes of their own and go on.
func (s *Server) Pause(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, s.process.signal(syscall.SIGSTOP))
}

// Resume ends a pause.
func (s *Server) Resume(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, s.process.signal(syscall.SIGCONT))
}

// started starts the server for the test, whose cleanup ends it.
func started(tb testing.TB, p *process, address string) *Server {
	tb.Helper()
	tb.Cleanup(func() { require.NoError(tb, p.remove()) })
	require.NoError(tb, p.start())
	return &Server{Address: address, process: p}
}
