//go:build e2e

package e2e_test

import (
	"crypto/rand"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tests take turns: each installs the same release.

func TestClusteredServiceOutlivesItsPods(t *testing.T) { //nolint:paralleltest // takes its turn
	r := newRelease(t, lease)
	r.startStores()
	r.install("--set", "database.existingSecret=postgres", "--set", "redis.existingSecret=redis")
	require.Len(t, r.pods(), 1)
	r.sell()

	r.upgrade("--set", "replicas=3")
	require.Len(t, r.pods(), 3)
	// Requests in flight to a process that crashes fail, and are sent again.
	passengers := r.startLoad("crash", 90*time.Second, 100)
	for _, pod := range r.pods() {
		r.crash(pod)
	}
	passengers.requireGoesOn()
	passengers.requireGood()

	passengers = r.startLoad("upgrade", 90*time.Second, 0)
	r.upgrade("--set", "logLevel=debug")
	passengers.requireGoesOn()
	passengers.requireGood()
	r.removeTrains()
	r.uninstall()
}

func TestEmbeddedServiceKeepsWhatItSold(t *testing.T) { //nolint:paralleltest // takes its turn
	r := newRelease(t, lease, "PersistentVolumeClaim "+booking+"-trainbooking")
	r.install()
	require.Len(t, r.pods(), 1)
	r.sell()

	// The one process is away for a while, and comes back with everything it acknowledged.
	passengers := r.startLoad("crash", time.Minute, 1000)
	r.crash(r.pods()[0])
	passengers.requireGoesOn()
	passengers.requireGood()

	passengers = r.startLoad("upgrade", 90*time.Second, 1000)
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

// sell puts the sample trains on sale and books on them through the Service.
func (r *release) sell() {
	r.t.Helper()
	r.helm("test", booking, "--timeout", patience.String())
	r.kubectl("apply", "-f", filepath.Join("..", "..", "docs", "samples"))
	r.kubectl("wait", "trains", "--all", "--for", "condition=Ready", "--timeout", patience.String())
	r.t.Log(r.kubectl("get", "trains"))

	passengers := r.startJob("passengers", "--for", (statusFollows + 10*time.Second).String(), "--clients", "4")
	require.Eventually(r.t, func() bool { return r.booked() > 0 }, patience, time.Second, "no sale is seen in kubectl get trains")
	passengers.requireGood()
	require.Eventually(r.t, func() bool { return r.booked() == 0 }, 2*statusFollows, time.Second, "they have cancelled")
}

// statusFollows is how far the status of a train may be behind its sales.
const statusFollows = 30 * time.Second

// booked sums up what the status of the trains says.
func (r *release) booked() (sum int) {
	r.t.Helper()
	for _, n := range strings.Fields(r.kubectl("get", "trains", "-o", "jsonpath={.items[*].status.booked}")) {
		booked, err := strconv.Atoi(n)
		require.NoError(r.t, err)
		sum += booked
	}
	return sum
}

// removeTrains deletes the trains, for which the operator must be there.
func (r *release) removeTrains() {
	r.t.Helper()
	r.kubectl("delete", "trains", "--all", "--timeout", patience.String())
	require.Empty(r.t, r.kubectl("get", "trains", "-o", "name"))
}

// uninstall uninstalls the chart and looks what is left of it in the namespace.
func (r *release) uninstall() {
	r.t.Helper()
	r.helm("uninstall", booking, "--wait", "--timeout", patience.String())
	require.EventuallyWithT(r.t, func(c *assert.CollectT) {
		left := slices.DeleteFunc(r.inNamespace(), func(object string) bool { return slices.Contains(r.before, object) })
		require.Equal(c, r.kept, left)
	}, time.Minute, time.Second)
}
