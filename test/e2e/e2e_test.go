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

// The tests run sequentially, because the CRDs are cluster-wide.

func TestClusteredServiceSurvivesCrashesOfItsPods(t *testing.T) { //nolint:paralleltest // sequential
	r := newRelease(t, lease("booking"), previousLease)
	r.startStores()
	r.installPrevious("--set", "database.existingSecret=postgres", "--set", "redis.existingSecret=redis", "--set", "replicas=2")
	r.sell()

	r.underLoad("upgrade", 0, func() { r.upgrade("--set", "replicas=3") })
	r.awaitPods(3)
	r.sell()
	r.sellSchedules()
	// Requests in flight to a crashing process fail and are retried.
	r.underLoad("crash", 100, func() {
		for _, pod := range r.pods() {
			r.crash(pod)
		}
	})
	r.underLoad("rotation", 1000, r.rotate)
	r.deleteTrains()
	r.uninstall()
}

func TestEmbeddedServiceKeepsItsBookings(t *testing.T) { //nolint:paralleltest // sequential
	r := newRelease(t, lease("booking"), lease("second"),
		"PersistentVolumeClaim booking-trainbooking", "PersistentVolumeClaim booking-trainbooking-backup")
	proxy := r.startProxy()
	r.install(append(proxy.environment(), "--set", "backup.enabled=true")...)
	r.awaitPods(1)
	r.sell()
	r.backUp()
	r.besideAnother()
	proxy.requireUnused()

	// The only process restarts with everything that it acknowledged.
	r.underLoad("crash", 1000, func() { r.crash(r.pods()[0]) })
	r.underLoad("upgrade", 1000, func() { r.upgrade("--set", "logLevel=debug") })
	r.deleteTrains()
	r.uninstall()
}

// startStores starts Postgres and Redis in the namespace and creates the Secrets with their URLs.
func (r *release) startStores() {
	r.t.Helper()
	r.apply("create", manifests(r.t, "stores.yaml", map[string]string{
		"PASSWORD": rand.Text(), "POSTGRES_IMAGE": *postgres, "REDIS_IMAGE": *redis,
	}))
	r.kubectl("rollout", "status", "deployment", "postgres", "--timeout", timeout.String())
	r.kubectl("rollout", "status", "deployment", "redis", "--timeout", timeout.String())
}

// sell puts the sample schedules and trains on sale and books seats on them through the Service.
func (r *release) sell() {
	r.t.Helper()
	r.helm("test", r.name, "--timeout", timeout.String())
	r.kubectl("apply", "-f", filepath.Join("..", "..", "docs", "samples"))
	r.kubectl("wait", "trains,trainschedules", "--all", "--for", "condition=Ready", "--timeout", timeout.String())
	r.t.Log(r.kubectl("get", "trains"), r.kubectl("get", "trainschedules"))

	l := r.startJob("passengers", "--for", (statusDelay + 10*time.Second).String(), "--clients", "4")
	require.Eventually(r.t, func() bool { return r.booked() > 0 }, timeout, time.Second, "kubectl get trains shows no booking")
	l.requireSucceeded()
	require.Eventually(r.t, func() bool { return r.booked() == 0 }, 2*statusDelay, time.Second, "the load cancels its bookings at the end")
}

// statusDelay is the maximum delay between a sale and the status of its train.
const statusDelay = 30 * time.Second

// booked returns how many seats of trains and departures of schedules are booked.
func (r *release) booked() (sum int) {
	r.t.Helper()
	figures := r.kubectl("get", "trains,trainschedules", "-o", "jsonpath={.items[*].status['booked','departuresWithSales']}")
	for _, n := range strings.Fields(figures) {
		booked, err := strconv.Atoi(n)
		require.NoError(r.t, err)
		sum += booked
	}
	return sum
}

// backUp runs the Job of the CronJob for backups once.
func (r *release) backUp() {
	r.t.Helper()
	r.kubectl("create", "job", "backup", "--from", "cronjob/"+r.fullname()+"-backup")
	r.kubectl("wait", "job", "backup", "--for", "condition=Complete", "--timeout", timeout.String())
	require.Regexp(r.t, `/backup/trainbooking-\S+\.db has [1-9]\d* bookings, [1-9]\d* trains and [1-9]\d* users`, r.kubectl("logs", "job/backup"))
	r.kubectl("delete", "job", "backup", "--wait")
}

// deleteTrains deletes all schedules and trains, which requires a running operator.
func (r *release) deleteTrains() {
	r.t.Helper()
	r.kubectl("delete", "trainschedules,trains", "--all", "--timeout", timeout.String())
	require.Empty(r.t, r.kubectl("get", "trainschedules,trains", "-o", "name"))
}

// uninstall uninstalls the chart and requires that only r.kept remains in the namespace.
func (r *release) uninstall() {
	r.t.Helper()
	r.helm("uninstall", r.name, "--wait", "--timeout", timeout.String())
	require.EventuallyWithT(r.t, func(c *assert.CollectT) {
		remaining := slices.DeleteFunc(r.inNamespace(), func(object string) bool { return slices.Contains(r.before, object) })
		require.Equal(c, r.kept, remaining)
	}, time.Minute, time.Second)
}
