package servers_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/persistencetest/servers"
)

func TestClockOfRedisIsSetAndKept(t *testing.T) {
	t.Parallel()
	server := servers.StartRedisWithClock(t)
	require.Equal(t, "+OK", send(t, server.Address, "SET k v PX 30000", 1))
	requireAbout := func(by time.Duration) {
		t.Helper()
		seconds, err := strconv.ParseInt(send(t, server.Address, "TIME", 3), 10, 64)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(by), time.Unix(seconds, 0), 10*time.Second)
	}
	requireAbout(0)
	server.SetClock(t, -time.Hour)
	requireAbout(-time.Hour)
	left, err := strconv.Atoi(strings.TrimPrefix(send(t, server.Address, "PTTL k", 1), ":"))
	require.NoError(t, err)
	require.Greater(t, time.Duration(left)*time.Millisecond, time.Hour)
	server.Kill(t)
	server.Start(t)
	requireAbout(-time.Hour)
	server.SetClock(t, time.Minute)
	requireAbout(time.Minute)
	require.Equal(t, "$-1", send(t, server.Address, "GET k", 1))
}
