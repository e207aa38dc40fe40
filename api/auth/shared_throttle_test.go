package auth_test

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/redis"
)

// process is what one process of a cluster has.
type process struct {
	logins, registrations *auth.Throttle
	log                   *bytes.Buffer
}

// newProcess returns a process that shares its counts in the Redis at address. Calls to Redis take at
// most timeout.
func newProcess(t *testing.T, address string, limit int, timeout time.Duration) process {
	t.Helper()
	db, err := redis.Open(t.Context(), "redis://"+address, redis.Options{Timeout: timeout})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	log := &bytes.Buffer{}
	o := auth.ThrottleOptions{Limit: limit, Shared: db, Logger: slog.New(slog.NewTextHandler(log, nil))}
	return process{auth.NewLoginThrottle(o), auth.NewRegistrationThrottle(o), log}
}

// patient is a timeout for busy machines.
const patient = 20 * persistence.LeaseCall

func TestAlternatingProcessesAllowsNoMoreAttempts(t *testing.T) {
	t.Parallel()
	server := servers.Redis(t)
	one, other := newProcess(t, server, 10, patient), newProcess(t, server, 10, patient)
	for name, throttles := range map[string][]*auth.Throttle{
		"login":        {one.logins, other.logins},
		"registration": {one.registrations, other.registrations},
	} {
		for i := range 10 {
			require.NoError(t, throttles[i%2].Try(t.Context(), account, address, correct), name)
			require.NoError(t, throttles[i%2].Try(t.Context(), account, address, wrong), name)
		}
		for _, throttle := range throttles {
			require.Positive(t, retryAfter(t, throttle.Try(t.Context(), account, address, correct)), name)
			require.NoError(t, throttle.Try(t.Context(), account, "192.0.2.8", correct), name)
		}
	}
	require.Empty(t, one.log.String()+other.log.String())
}

func TestConcurrentGuessesInTwoProcessesDoNotExceedTheLimit(t *testing.T) {
	t.Parallel()
	server := servers.Redis(t)
	processes := []process{newProcess(t, server, 10, patient), newProcess(t, server, 10, patient)}
	guessed, limited := guess(t, 60, func(n int) *auth.Throttle { return processes[n%2].logins })
	require.Equal(t, 10, guessed)
	require.Equal(t, 50, limited)
}

// Without Redis nobody is locked out, and the count of the process goes on.
func TestProcessWithoutRedisCountsAlone(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*servers.Server, testing.TB){
		"silent": (*servers.Server).Pause,
		"dead":   (*servers.Server).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := servers.StartRedis(t)
			p := newProcess(t, server.Address, 3, persistence.LeaseCall)
			require.NoError(t, p.logins.Try(t.Context(), account, address, wrong))
			require.Empty(t, p.log.String())
			stop(server, t)
			t.Cleanup(func() {
				if name == "silent" {
					server.Resume(t)
				}
			})
			began := time.Now()
			require.NoError(t, p.logins.Try(t.Context(), account, address, wrong))
			require.Less(t, time.Since(began), 3*persistence.LeaseCall, "one call")
			require.Contains(t, p.log.String(), "attempts are counted by this process alone")
			require.NoError(t, p.logins.Try(t.Context(), account, address, wrong))
			retryAfter(t, p.logins.Try(t.Context(), account, address, correct))
			require.NoError(t, p.logins.Try(t.Context(), account, "192.0.2.8", correct))
		})
	}
}

// A failure that Redis does not get counts in this process.
func TestFailureThatRedisMissesCountsHere(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	p := newProcess(t, server.Address, 1, persistence.LeaseCall)
	require.NoError(t, p.logins.Try(t.Context(), account, address, func() (bool, error) {
		server.Kill(t)
		return true, nil
	}))
	require.Contains(t, p.log.String(), "attempts are counted by this process alone")
	retryAfter(t, p.logins.Try(t.Context(), account, address, correct))
}
