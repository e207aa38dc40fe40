//go:build e2e

package e2e_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The tests take turns: each installs the same release.

func TestClusteredServiceOutlivesItsPods(t *testing.T) { //nolint:paralleltest // takes its turn
	r := newRelease(t)
	r.startStores()
	r.install("--set", "database.existingSecret=postgres", "--set", "redis.existingSecret=redis")
	require.Len(t, r.pods(), 1)
	r.sell()

	r.upgrade("--set", "replicas=3")
	require.Len(t, r.pods(), 3)
	// Requests in flight to a process that crashes fail, and are sent again.
	passengers := r.startLoad("crash", 2*time.Minute, 1000)
	for _, pod := range r.pods() {
		r.crash(pod)
	}
	passengers.requireGoesOn()
	passengers.requireGood()

	passengers = r.startLoad("upgrade", 2*time.Minute, 0)
	r.upgrade("--set", "logLevel=debug")
	passengers.requireGoesOn()
	passengers.requireGood()
	r.removeTrains()
	r.uninstall()
}

func TestEmbeddedServiceKeepsWhatItSold(t *testing.T) { //nolint:paralleltest // takes its turn
	r := newRelease(t)
	r.install()
	require.Len(t, r.pods(), 1)
	r.sell()

	// The one process is away for a while, and comes back with everything it acknowledged.
	passengers := r.startLoad("crash", time.Minute, 10_000)
	r.crash(r.pods()[0])
	passengers.requireGoesOn()
	passengers.requireGood()

	passengers = r.startLoad("upgrade", 2*time.Minute, 10_000)
	r.upgrade("--set", "logLevel=debug")
	passengers.requireGoesOn()
	passengers.requireGood()
	r.removeTrains()
	r.uninstall()
}

// startStores starts a Postgres and a Redis in the namespace, with Secrets that say where.
func (r *release) startStores() {
	r.t.Helper()
	r.apply("create", manifests(r.t, "stores.yaml", map[string]string{
		"PASSWORD": rand.Text(), "POSTGRES_IMAGE": *postgres, "REDIS_IMAGE": *redis,
	}))
	r.kubectl("rollout", "status", "deployment", "postgres", "--timeout", patience.String())
	r.kubectl("rollout", "status", "deployment", "redis", "--timeout", patience.String())
}
