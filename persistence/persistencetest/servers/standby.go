package servers

import (
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// StartStandby starts a Postgres that streams from primary and answers reads. After
// primary.Set(synchronous_standby_names=*), primary acknowledges what a standby has stored.
func StartStandby(tb testing.TB, primary *Server) *Server {
	tb.Helper()
	c, err := noCluster()
	require.NoError(tb, err)
	require.NoError(tb, c.copyOf(tb, primary.cluster))
	return c.started(tb)
}

// Promote makes a standby a primary, and waits until it accepts writes.
func (s *Server) Promote(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, s.cluster.execute(tb.Context(), "pg_ctl", "promote", "--wait", "--pgdata", s.cluster.data()))
}

// Follow replaces the data of a Postgres that was killed by those of primary, and starts it as a
// standby of that.
func (s *Server) Follow(tb testing.TB, primary *Server) {
	tb.Helper()
	require.NoError(tb, os.RemoveAll(s.cluster.data()))
	require.NoError(tb, s.cluster.copyOf(tb, primary.cluster))
	s.Start(tb)
}

// Set changes a setting (name=value) of a running Postgres, also in its sessions.
func (s *Server) Set(tb testing.TB, setting string) {
	tb.Helper()
	name, value, _ := strings.Cut(setting, "=")
	require.NoError(tb, s.cluster.run(tb.Context(), "ALTER SYSTEM SET "+name+" = '"+value+"'"))
	require.NoError(tb, s.cluster.run(tb.Context(), "SELECT pg_reload_conf()"))
}

// AnyOf returns a URL that names several Postgres servers, in order, of which the one that accepts
// writes is used.
func AnyOf(tb testing.TB, some ...*Server) (address string) {
	tb.Helper()
	hosts := make([]string, len(some))
	for i, s := range some {
		hosts[i] = s.process.dir
	}
	u, err := url.Parse(some[0].Address)
	require.NoError(tb, err)
	u.RawQuery = url.Values{"host": {strings.Join(hosts, ",")}, "target_session_attrs": {"read-write"}}.Encode()
	return u.String()
}

// copyOf copies the data of a running cluster, and the settings that make a standby of it.
func (c *cluster) copyOf(tb testing.TB, primary *cluster) error {
	tb.Helper()
	return c.execute(tb.Context(), "pg_basebackup", "--pgdata", c.data(), "--dbname", primary.url("postgres"),
		"--write-recovery-conf", "--checkpoint", "fast", "--no-sync")
}

func (c *cluster) started(tb testing.TB) *Server {
	tb.Helper()
	s := started(tb, c.process, c.url("postgres"))
	s.cluster = c
	return s
}
