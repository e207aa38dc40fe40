package scale_test

import (
	"context"
	"flag"
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

// One Train in ten sells something from one resync to the next.
var trains = flag.Int("scale.trains", 500, "how many Trains the operator has")

const (
	longest = time.Minute
	largest = 256 << 20
	// setup is how long the machine may take for what is not measured.
	setup = 10 * time.Minute

	token = "a-service-token-of-32-characters!"
)

func TestMain(m *testing.M) {
	flag.Parse()
	processtest.Main(m, false, "operator")
}

func TestResyncOfManyTrainsIsQuickAndSmall(t *testing.T) { //nolint:paralleltest // it measures
	sold := *trains / 10
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
	shown := watch(t, config, scheme)

	start := time.Now()
	each(t, *trains, func(ctx context.Context, n int) error { return kube.Create(ctx, train(namespace, n)) })
	t.Logf("made after %s", time.Since(start))
	operate := func() *processtest.Process {
		command := processtest.CommandOf(t, "operator", "--service-url", service.URL, "--service-token-file", file,
			"--no-leader-elect", "--metrics-listen", "0", "--health-listen", "0")
		command.Env = append(command.Env, "KUBECONFIG="+server.Kubeconfig)
		return processtest.StartProcess(t, command)
	}
	start = time.Now()
	operator := operate()
	shown.await(t, setup, func(t *v1alpha1.Train) bool { return t.Status.Free != nil && *t.Status.Free == 100 })
	t.Logf("on sale after %s, %d MiB", time.Since(start), operator.PeakMemory()>>20)
	operator.Stop()

	passenger := processtest.SignUp(t, service.URL, "passenger")
	ids := shown.ids()
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
	operator = operate()
	shown.await(t, longest, func(t *v1alpha1.Train) bool {
		return (*t.Status.Held == 1 || !changed[t.Status.TrainID]) && meta.IsStatusConditionTrue(t.Status.Conditions, v1alpha1.ConditionReady)
	})
	took, memory := time.Since(start), operator.PeakMemory()
	t.Logf("a resync of %d trains, %d of them changed: %s, %d MiB", *trains, sold, took, memory>>20)
	require.Less(t, took, longest)
	require.Less(t, memory, largest)
}

// each does something for the first Trains, many at once.
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
			Name: fmt.Sprintf("Express %d", n), Capacity: 100,
			Stops: []v1alpha1.Stop{
				{Station: "Delhi", DepartsAt: "2040-12-01T06:00:00+05:30"},
				{Station: fmt.Sprintf("Halt %d", n), ArrivesAt: "2040-12-01T10:30:00+05:30", DepartsAt: "2040-12-01T10:35:00+05:30"},
				{Station: "Mumbai", ArrivesAt: "2040-12-02T01:00:00+05:30"},
			},
		},
	}
}

// shown are the Trains as the API server has them.
type shown struct {
	mu     sync.Mutex
	trains map[string]*v1alpha1.Train
	is     func(*v1alpha1.Train) bool // what is waited for
	left   map[string]bool            // those that are not so yet
	done   chan struct{}              // closed when none is left
}

func watch(t *testing.T, config *rest.Config, scheme *runtime.Scheme) *shown {
	t.Helper()
	s := &shown{trains: map[string]*v1alpha1.Train{}}
	c, err := cache.New(config, cache.Options{Scheme: scheme, DefaultTransform: cache.TransformStripManagedFields()})
	require.NoError(t, err)
	informer, err := c.GetInformer(t.Context(), &v1alpha1.Train{}, cache.BlockUntilSynced(false))
	require.NoError(t, err)
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    s.show,
		UpdateFunc: func(_, o any) { s.show(o) },
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = c.Start(ctx) })
	t.Cleanup(running.Wait)
	t.Cleanup(cancel)
	return s
}

func (s *shown) show(o any) {
	train := o.(*v1alpha1.Train)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trains[train.Name] = train
	s.look(train)
}

func (s *shown) look(train *v1alpha1.Train) {
	if s.left[train.Name] && s.is(train) {
		if delete(s.left, train.Name); len(s.left) == 0 {
			close(s.done)
		}
	}
}

// await waits until each of the Trains was as it should be.
func (s *shown) await(t *testing.T, patience time.Duration, is func(*v1alpha1.Train) bool) {
	t.Helper()
	s.mu.Lock()
	s.is, s.left, s.done = is, map[string]bool{}, make(chan struct{})
	for n := range *trains {
		s.left[train("", n).Name] = true
	}
	for _, t := range s.trains {
		s.look(t)
	}
	done := s.done
	s.mu.Unlock()
	select {
	case <-done:
	case <-time.After(patience):
		s.mu.Lock()
		defer s.mu.Unlock()
		require.Failf(t, "it takes too long", "%d Trains are left after %s", len(s.left), patience)
	}
}

func (s *shown) ids() (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.trains {
		ids = append(ids, t.Status.TrainID)
	}
	return ids
}
