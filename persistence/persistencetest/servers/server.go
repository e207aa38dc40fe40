package servers

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Server is a server of one test. Its methods fail the test on errors, so call them from the
// test's goroutine.
type Server struct {
	// Address is a URL for Postgres and host:port for Redis. It does not change when the
	// server restarts.
	Address string

	process *process
	cluster *cluster // nil: not Postgres
}

// Kill kills the server with SIGKILL. Its files are kept.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, s.process.kill())
}

// Halt ends the server with a signal that it may handle, and waits until it has ended. Its files
// are kept. On INT, Postgres ends its sessions in order; on QUIT it stops immediately, as in a
// crash.
func (s *Server) Halt(tb testing.TB, signal string) {
	tb.Helper()
	require.NoError(tb, s.process.halt(signal))
}

// Start starts a server that was killed or halted, and waits until it accepts connections.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, s.process.restart())
}

// Pause stops the server without ending it (SIGSTOP): its connections stay open, but it does not
// reply. The sessions of Postgres are separate processes and continue.
func (s *Server) Pause(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, s.process.signal(syscall.SIGSTOP))
}

// Resume ends a pause.
func (s *Server) Resume(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, s.process.signal(syscall.SIGCONT))
}

// started starts the server and removes it when the test ends.
func started(tb testing.TB, p *process, address string) *Server {
	tb.Helper()
	tb.Cleanup(func() { require.NoError(tb, p.remove()) })
	require.NoError(tb, p.start())
	return &Server{Address: address, process: p}
}
