//go:build scale

package scale_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"trainbooking.dev/operator/v1alpha1"
	"trainbooking.dev/test/kube/apiserver"
	"trainbooking.dev/test/kube/tools"
	"trainbooking.dev/test/processtest"
)

const (
	trains = 10_000
	// sold is the number of trains with sales since the last resync. Each of them needs a status
	// write, which takes about 7 ms of the API server's CPU.
	sold      = 1_000
	maxTime   = time.Minute
	maxMemory = 256 << 20
	// setupTimeout limits the creation of the Trains, which is not measured.
	setupTimeout = 10 * time.Minute

	token = "a-service-token-of-32-characters!"
)

func TestMain(m *testing.M) { processtest.Main(m, false, "operator") }

func TestResyncOfTenThousandTrainsIsWithinItsLimits(t *testing.T) { //nolint:paralleltest // it measures
	server := apiserver.Start(t)
	config := rest.CopyConfig(server.Config)
	config.QPS = -1
	root, err := tools.Root()
	require.NoError(t, err)
	_, err = envtest.InstallCRDs(config, envtest.CRDInstallOptions{Paths: []string{filepath.Join(root, "charts", "trainbooking", "crd")}})
	require.NoError(t, err)
	scheme := runtime.NewScheme()
	require.NoError(t, v1alpha1.AddToScheme(scheme))
	kube, err := client.New(config, client.Options{Scheme: scheme})
	require.NoError(t, err)
	namespace := server.Namespace(t, nil)
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(token), 0o600))
	service := processtest.Start(t, "--service-token-file", file)
	watched := watch(t, config, scheme)

	start := time.Now()
	each(t, trains, func(ctx context.Context, n int) error { return kube.Create(ctx, train(namespace, n)) })
	t.Logf("created after %s", time.Since(start))
	startOperator := func() *processtest.Process {
		command := processtest.CommandOf(t, "operator", "--service-url", service.URL, "--service-token-file", file,
			"--no-leader-elect", "--metrics-listen", "0", "--health-listen", "0")
		command.Env = append(command.Env, "KUBECONFIG="+server.Kubeconfig)
		return processtest.StartProcess(t, command)
	}
	start = time.Now()
	operator := startOperator()
	watched.await(t, setupTimeout, func(t *v1alpha1.Train) bool { return t.Status.Free != nil && *t.Status.Free == 100 })
	t.Logf("on sale after %s, %d MiB", time.Since(start), operator.PeakMemory()>>20)
	operator.Stop()

	passenger := processtest.SignUp(t, service.URL, "passenger")
	ids := watched.ids()
	each(t, sold, func(_ context.Context, n int) error {
		locked, err := passenger.Lock(ids[n], 1)
		if err == nil && locked.Status != http.StatusOK {
			err = fmt.Errorf("lock: %s", locked)
		}
		return err
	})
	changed := map[string]bool{}
	for _, id := range ids[:sold] {
		changed[id] = true
	}
	start = time.Now()
	operator = startOperator()
	watched.await(t, maxTime, func(t *v1alpha1.Train) bool {
		return (*t.Status.Held == 1 || !changed[t.Status.TrainID]) && meta.IsStatusConditionTrue(t.Status.Conditions, v1alpha1.ConditionReady)
	})
	took, memory := time.Since(start), operator.PeakMemory()
	t.Logf("a resync of %d trains, %d of them changed: %s, %d MiB", trains, sold, took, memory>>20)
	require.Less(t, took, maxTime)
	require.Less(t, memory, maxMemory)
}

// each calls do for 0 to count-1, with 16 calls at a time.
func each(t *testing.T, count int, do func(ctx context.Context, n int) error) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(16)
	for n := range count {
		group.Go(func() error { return do(ctx, n) })
	}
	require.NoError(t, group.Wait())
}

func train(namespace string, n int) *v1alpha1.Train {
	return &v1alpha1.Train{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("train-%05d", n)},
		Spec: v1alpha1.TrainSpec{
			Name: v1alpha1.TrainName(fmt.Sprintf("Express %d", n)), Capacity: 100,
			Stops: []v1alpha1.Stop{
				{Station: "Delhi", DepartsAt: "2040-12-01T06:00:00+05:30"},
				{Station: v1alpha1.Station(fmt.Sprintf("Halt %d", n)), ArrivesAt: "2040-12-01T10:30:00+05:30", DepartsAt: "2040-12-01T10:35:00+05:30"},
				{Station: "Mumbai", ArrivesAt: "2040-12-02T01:00:00+05:30"},
			},
		},
	}
}

// watcher has the current state of all Trains.
type watcher struct {
	mu        sync.Mutex
	trains    map[string]*v1alpha1.Train
	condition func(*v1alpha1.Train) bool // that await waits for
	pending   map[string]bool            // the Trains that have not met it
	done      chan struct{}              // closed when none is pending
}

func watch(t *testing.T, config *rest.Config, scheme *runtime.Scheme) *watcher {
	t.Helper()
	w := &watcher{trains: map[string]*v1alpha1.Train{}}
	c, err := cache.New(config, cache.Options{Scheme: scheme, DefaultTransform: cache.TransformStripManagedFields()})
	require.NoError(t, err)
	informer, err := c.GetInformer(t.Context(), &v1alpha1.Train{}, cache.BlockUntilSynced(false))
	require.NoError(t, err)
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    w.update,
		UpdateFunc: func(_, o any) { w.update(o) },
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = c.Start(ctx) })
	t.Cleanup(running.Wait)
	t.Cleanup(cancel)
	return w
}

func (w *watcher) update(o any) {
	train := o.(*v1alpha1.Train)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trains[train.Name] = train
	w.check(train)
}

func (w *watcher) check(train *v1alpha1.Train) {
	if w.pending[train.Name] && w.condition(train) {
		if delete(w.pending, train.Name); len(w.pending) == 0 {
			close(w.done)
		}
	}
}

// await waits until each of the Trains has met the condition.
func (w *watcher) await(t *testing.T, timeout time.Duration, condition func(*v1alpha1.Train) bool) {
	t.Helper()
	w.mu.Lock()
	w.condition, w.pending, w.done = condition, map[string]bool{}, make(chan struct{})
	for n := range trains {
		w.pending[train("", n).Name] = true
	}
	for _, t := range w.trains {
		w.check(t)
	}
	done := w.done
	w.mu.Unlock()
	select {
	case <-done:
	case <-time.After(timeout):
		w.mu.Lock()
		defer w.mu.Unlock()
		require.Failf(t, "timeout", "%d Trains have not met the condition after %s", len(w.pending), timeout)
	}
}

func (w *watcher) ids() (ids []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.trains {
		ids = append(ids, t.Status.TrainID)
	}
	return ids
}
