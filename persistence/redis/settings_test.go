package redis_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/redis"
)

// openLogged opens a Redis and returns the log.
func openLogged(t *testing.T, address string) (string, error) {
	t.Helper()
	var log bytes.Buffer
	db, err := redis.Open(t.Context(), address, redis.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err == nil {
		require.NoError(t, db.Close())
	}
	return log.String(), err
}

func TestRedisThatEvictsIsRefused(t *testing.T) {
	t.Parallel()
	address := servers.Redis(t)
	raw := connect(t, address)
	for _, policy := range []string{"allkeys-lru", "volatile-ttl"} {
		require.NoError(t, raw.ConfigSet(t.Context(), "maxmemory-policy", policy).Err())
		_, err := openLogged(t, "redis://"+address)
		require.ErrorIs(t, err, redis.ErrServer)
		require.ErrorContains(t, err, policy)
		require.ErrorContains(t, err, "set it to noeviction")
	}
	require.NoError(t, raw.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err())
	log, err := openLogged(t, "redis://"+address)
	require.NoError(t, err)
	require.Empty(t, log)
}

func TestRedisWithoutPersistenceIsWarnedAbout(t *testing.T) {
	t.Parallel()
	address := servers.Redis(t)
	require.NoError(t, connect(t, address).ConfigSet(t.Context(), "appendonly", "no").Err())
	log, err := openLogged(t, "redis://"+address)
	require.NoError(t, err)
	require.Contains(t, log, "set appendonly to yes")
}

func TestUnreadableSettingsAreWarnedAbout(t *testing.T) {
	t.Parallel()
	address := servers.Redis(t)
	require.NoError(t, connect(t, address).Do(t.Context(), "ACL", "SETUSER", "managed", "on", ">secret", "allkeys", "allchannels", "+@all", "-config").Err())
	log, err := openLogged(t, "redis://managed:secret@"+address+"/3")
	require.NoError(t, err)
	require.Contains(t, log, "maxmemory-policy is noeviction")
}

func TestErrorOfAWrongPasswordDoesNotContainIt(t *testing.T) {
	t.Parallel()
	address := servers.Redis(t)
	require.NoError(t, connect(t, address).ConfigSet(t.Context(), "requirepass", "right").Err())
	for _, user := range []string{"", ":hunter2@", "asha:hunter2@"} {
		_, err := openLogged(t, "redis://"+user+address)
		require.ErrorIs(t, err, redis.ErrSettings)
		require.NotContains(t, err.Error(), "hunter2")
	}
}
