package operator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	apiclient "trainbooking.dev/api/client"
	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
	"trainbooking.dev/test/kube/tools"
	"trainbooking.dev/test/processtest"
)

// serviceToken is the token of every service in these tests.
const serviceToken = "a-service-token-of-32-characters!"

// resync is short to keep the tests fast.
const resync = time.Second

// harness is a service, a namespace, and the proxies through which an operator reaches them.
type harness struct {
	*cluster
	t         *testing.T
	namespace string
	service   *processtest.Server
	link      *processtest.Link // between the proxy and the service
	trains    *apiclient.Client // a client that bypasses the proxy and the link
	proxy     *proxy
	token     string // the operator's token file
	// environment has additional variables of the operator's process.
	environment []string
}

// newHarness starts a service, but no operator.
func newHarness(t *testing.T, args ...string) *harness {
	t.Helper()
	c := sharedCluster(t)
	return newHarnessIn(t, c, c.Namespace(t, nil), args...)
}

// newHarnessIn starts another service for the resources of a namespace.
func newHarnessIn(t *testing.T, c *cluster, namespace string, args ...string) *harness {
	t.Helper()
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte(serviceToken+"\n"), 0o600))
	service := processtest.Start(t, append([]string{"--service-token-file", token}, args...)...)
	h := &harness{cluster: c, t: t, namespace: namespace, service: service, token: token}
	h.link = processtest.NewLink(t, "tcp", hostOf(t, service.URL))
	config := rest.CopyConfig(c.Config)
	config.Impersonate = h.grantRights()
	h.proxy = newProxy(t, config, "http://"+h.link.Address)
	var err error
	h.trains, err = apiclient.New(apiclient.Options{URL: service.URL, Token: apiclient.FixedToken(serviceToken)})
	require.NoError(t, err)
	return h
}

// grantRights gives the operator exactly the rights that the chart gives it and returns its
// identity.
func (h *harness) grantRights() rest.ImpersonationConfig {
	h.t.Helper()
	root, err := tools.Root()
	require.NoError(h.t, err)
	rights := tools.Run(h.t, h.Kubeconfig, "helm", "template", "booking", filepath.Join(root, "charts", "trainbooking"),
		"--namespace", h.namespace, "--show-only", "templates/operator-rbac.yaml",
		"--set", "operator.watchNamespaces={"+h.namespace+"}")
	file := filepath.Join(h.t.TempDir(), "rights.yaml")
	require.NoError(h.t, os.WriteFile(file, []byte(rights), 0o600))
	tools.Run(h.t, h.Kubeconfig, "kubectl", "apply", "--filename", file)
	return rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + h.namespace + ":booking-trainbooking-operator",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + h.namespace, "system:authenticated"},
	}
}

// startOperator starts an operator without leader election.
func (h *harness) startOperator(args ...string) *processtest.Process {
	h.t.Helper()
	command := processtest.CommandOf(h.t, "operator", append([]string{
		"--service-url", h.proxy.service.URL, "--service-token-file", h.token, "--watch-namespaces", h.namespace,
		"--no-leader-elect", "--metrics-listen", "0", "--health-listen", "0", "--resync", resync.String(),
	}, args...)...)
	command.Env = append(command.Env, "KUBECONFIG="+kubeconfig(h.t, h.proxy.cluster.URL))
	command.Env = append(command.Env, h.environment...)
	p := processtest.StartProcess(h.t, command)
	h.t.Cleanup(func() {
		require.NotContains(h.t, p.Log.String(), "forbidden", "the operator lacks a right that it needs")
	})
	return p
}

// kubeconfig writes a kubeconfig without credentials and returns its path.
func kubeconfig(tb testing.TB, server string) string {
	tb.Helper()
	config := api.NewConfig()
	config.Clusters["test"] = &api.Cluster{Server: server}
	config.Contexts["test"] = &api.Context{Cluster: "test"}
	config.CurrentContext = "test"
	file := filepath.Join(tb.TempDir(), "kubeconfig")
	require.NoError(tb, clientcmd.WriteToFile(*config, file))
	return file
}

// create creates the Train express, changed by edit, under a generated name.
func (h *harness) create(edit func(spec map[string]any)) *v1alpha1.Train {
	h.t.Helper()
	return h.createNamed("", edit)
}

func (h *harness) createNamed(name string, edit func(spec map[string]any)) *v1alpha1.Train {
	h.t.Helper()
	return h.get(h.apply(name, manifest(h.t, edit)))
}

// apply creates what a manifest says, under a generated name if name is "".
func (h *harness) apply(name string, manifest *unstructured.Unstructured) client.ObjectKey {
	h.t.Helper()
	manifest.SetNamespace(h.namespace)
	manifest.SetName(name)
	require.NoError(h.t, h.Create(h.t.Context(), manifest))
	return client.ObjectKeyFromObject(manifest)
}

func (h *harness) get(key client.ObjectKey) *v1alpha1.Train {
	h.t.Helper()
	var train v1alpha1.Train
	require.NoError(h.t, h.Get(h.t.Context(), key, &train))
	return &train
}

// edit changes the spec of a resource.
func (h *harness) edit(o client.Object, edit func(spec map[string]any)) {
	h.t.Helper()
	spec := map[string]any{}
	edit(spec)
	h.patch(o, map[string]any{"spec": spec})
}

// patch sends a merge patch of a resource.
func (h *harness) patch(o client.Object, change any) {
	h.t.Helper()
	text, err := json.Marshal(change)
	require.NoError(h.t, err)
	require.NoError(h.t, h.Patch(h.t.Context(), o.DeepCopyObject().(client.Object), client.RawPatch(types.MergePatchType, text)))
}

// await waits until the Train meets the condition and returns it.
func (h *harness) await(t *v1alpha1.Train, condition func(*v1alpha1.Train) bool) *v1alpha1.Train {
	h.t.Helper()
	return await(h, t, condition)
}

// await waits until a resource meets the condition and returns it.
func await[R client.Object](h *harness, o R, condition func(R) bool) R {
	h.t.Helper()
	got := o.DeepCopyObject().(R)
	h.eventually(func(ctx context.Context) bool {
		return h.Get(ctx, keyOf(o), got) == nil && condition(got)
	}, func() string { return fmt.Sprintf("%+v", got) })
	return got
}

// eventually polls until the condition is true. If it stays false, the test fails and prints
// what describe returns.
func (h *harness) eventually(condition func(ctx context.Context) bool, describe func() string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), processtest.Timeout)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !condition(ctx) {
		select {
		case <-ctx.Done():
			require.Fail(h.t, "the condition was never met", describe())
		case <-ticker.C:
		}
	}
}

// awaitDeleted waits until the resource no longer exists.
func (h *harness) awaitDeleted(o client.Object) {
	h.t.Helper()
	got := o.DeepCopyObject().(client.Object)
	h.eventually(func(ctx context.Context) bool {
		err := h.Get(ctx, keyOf(o), got)
		return client.IgnoreNotFound(err) == nil && (err != nil || got.GetUID() != o.GetUID())
	}, func() string { return fmt.Sprintf("%+v", got) })
}

// find returns the service's train with that id, or nil if it does not exist.
func (h *harness) find(id string) *booking.Availability {
	h.t.Helper()
	parsed, err := booking.ParseTrainID(id)
	require.NoError(h.t, err)
	found, err := h.trains.FindTrain(h.t.Context(), parsed)
	if booking.CodeOf(err) == booking.CodeNotFound {
		return nil
	}
	require.NoError(h.t, err)
	return &found
}

// passenger registers a user and returns its client.
func (h *harness) passenger() *processtest.Client {
	h.t.Helper()
	return processtest.SignUp(h.t, h.service.URL, "p"+uuid.NewString()[:8])
}

// book books a seat and returns the id of the booking.
func (h *harness) book(p *processtest.Client, train string, seat int) string {
	h.t.Helper()
	return p.MustConfirm(h.t, http.StatusOK, p.MustLock(h.t, http.StatusOK, train, seat).SeatID).BookingID
}

func keyOf(o client.Object) client.ObjectKey { return client.ObjectKeyFromObject(o) }

func conditionOf(o client.Object, kind string) *metav1.Condition {
	if schedule, ok := o.(*v1alpha1.TrainSchedule); ok {
		return meta.FindStatusCondition(schedule.Status.Conditions, kind)
	}
	return meta.FindStatusCondition(o.(*v1alpha1.Train).Status.Conditions, kind)
}

// ready reports whether the Train is Ready at its present generation and has figures.
func ready(t *v1alpha1.Train) bool { return isReady(t) && t.Status.Booked != nil }

func isReady(o client.Object) bool {
	c := conditionOf(o, v1alpha1.ConditionReady)
	return c.Status == metav1.ConditionTrue && c.ObservedGeneration == o.GetGeneration()
}

// notReady returns a condition: Ready is False for the reason, at the present generation.
func notReady(reason string) func(t *v1alpha1.Train) bool {
	return func(t *v1alpha1.Train) bool { return isNotReady(t, reason) }
}

func isNotReady(o client.Object, reason string) bool {
	c := conditionOf(o, v1alpha1.ConditionReady)
	return c.Status == metav1.ConditionFalse && c.Reason == reason && c.ObservedGeneration == o.GetGeneration()
}

// proxy stands between an operator and both the API server and the service. It counts the
// requests that change something or read one resource, and blocks at a breakpoint.
type proxy struct {
	cluster, service *httptest.Server

	next chan *breakpoint // capacity 1
	// withoutSchedules makes the service one of a version without schedules.
	withoutSchedules atomic.Bool
	polls            atomic.Int32 // how many lists of trains were read
	watches          sync.RWMutex // locked while watches must not deliver events

	mu      sync.Mutex
	counted []string // the paths of the requests that were counted
}

// breakpoint is the request at which the operator is killed.
type breakpoint struct {
	after   int           // the number of requests before it
	forward bool          // whether the request is carried out
	reached chan string   // receives the request; capacity 1
	killed  chan struct{} // closed when the operator has been killed
}

func newProxy(tb testing.TB, config *rest.Config, service string) *proxy {
	tb.Helper()
	p := &proxy{next: make(chan *breakpoint, 1)}
	p.next <- nil
	transport, err := rest.TransportFor(config)
	require.NoError(tb, err)
	p.cluster = p.serve(tb, config.Host, transport)
	p.service = p.serve(tb, service, &http.Transport{})
	return p
}

func (p *proxy) serve(tb testing.TB, address string, transport http.RoundTripper) *httptest.Server {
	tb.Helper()
	u, err := url.Parse(address)
	require.NoError(tb, err)
	target := &httputil.ReverseProxy{
		Rewrite:       func(q *httputil.ProxyRequest) { q.SetURL(u) },
		Transport:     transport,
		FlushInterval: -1, // for watches
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			panic(http.ErrAbortHandler) // the client sees a broken connection
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		p.handle(target, w, q)
	}))
	tb.Cleanup(server.Close)
	return server
}

// handle forwards a request, unless it is at the breakpoint.
func (p *proxy) handle(target http.Handler, w http.ResponseWriter, q *http.Request) {
	b := p.count(q)
	if p.withoutSchedules.Load() {
		q.URL.Path = strings.Replace(q.URL.Path, "/v1/schedules", "/v1/unknown", 1)
	}
	if q.URL.Query().Has("watch") {
		w = watchWriter{w, &p.watches}
	}
	if b == nil {
		target.ServeHTTP(w, q)
		return
	}
	if b.forward {
		target.ServeHTTP(httptest.NewRecorder(), q)
	}
	b.reached <- q.Method + " " + q.URL.Path
	<-b.killed
	panic(http.ErrAbortHandler)
}

// watchWriter delays the events of a watch while the mutex is locked.
type watchWriter struct {
	http.ResponseWriter
	watches *sync.RWMutex
}

func (w watchWriter) Write(b []byte) (int, error) {
	w.watches.RLock()
	defer w.watches.RUnlock()
	return w.ResponseWriter.Write(b)
}

// Unwrap is used by http.ResponseController.
func (w watchWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// count returns the breakpoint if the request reaches it.
func (p *proxy) count(q *http.Request) *breakpoint {
	if q.URL.Path == "/v1/trains" {
		p.polls.Add(1)
	}
	one := regexp.MustCompile("/(trains|trainschedules|schedules)/").MatchString(q.URL.Path)
	if q.Method == http.MethodGet && !one {
		return nil // sent by the cache or the poller
	}
	p.mu.Lock()
	p.counted = append(p.counted, q.URL.Path)
	p.mu.Unlock()
	b := <-p.next
	if b == nil || b.after > 0 {
		if b != nil {
			b.after--
		}
		p.next <- b
		return nil
	}
	p.next <- nil
	return b
}

// requestsFor returns how many requests were counted for a resource and what the service has under its id.
func (p *proxy) requestsFor(o client.Object, id string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, path := range p.counted {
		if strings.Contains(path, "s/"+o.GetName()) || strings.Contains(path, id) {
			n++
		}
	}
	return n
}

// set replaces the breakpoint. It returns the former one, or nil if it was reached.
func (p *proxy) set(b *breakpoint) (before *breakpoint) {
	before = <-p.next
	p.next <- b
	return before
}
