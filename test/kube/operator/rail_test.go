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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// serviceToken is that of every service of these tests.
const serviceToken = "a-service-token-of-32-characters!"

// resync is short, so that tests need not wait.
const resync = time.Second

// rail is a service and a namespace, and what an operator between them goes through.
type rail struct {
	*cluster
	t         *testing.T
	namespace string
	service   *processtest.Server
	link      *processtest.Link // on the way to the service
	trains    *apiclient.Client // asks it as the operator does, by another way
	gate      *gate
	token     string // the file of the operator's token
}

// newRail starts a service. No operator runs yet.
func newRail(t *testing.T, args ...string) *rail {
	t.Helper()
	c := crd(t)
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte(serviceToken+"\n"), 0o600))
	service := processtest.Start(t, append([]string{"--service-token-file", token}, args...)...)
	r := &rail{cluster: c, t: t, namespace: c.Namespace(t, nil), service: service, token: token}
	r.link = processtest.NewLink(t, "tcp", hostOf(t, service.URL))
	config := rest.CopyConfig(c.Config)
	config.Impersonate = r.account()
	r.gate = newGate(t, config, "http://"+r.link.Address)
	var err error
	r.trains, err = apiclient.New(apiclient.Options{URL: service.URL, Token: apiclient.FixedToken(serviceToken)})
	require.NoError(t, err)
	return r
}

// account gives the operator the rights that the chart gives it, and no more, and returns
// who it is.
func (r *rail) account() rest.ImpersonationConfig {
	r.t.Helper()
	root, err := tools.Root()
	require.NoError(r.t, err)
	rights := tools.Run(r.t, r.Kubeconfig, "helm", "template", "booking", filepath.Join(root, "charts", "trainbooking"),
		"--namespace", r.namespace, "--show-only", "templates/operator-rbac.yaml",
		"--set", "operator.watchNamespaces={"+r.namespace+"}")
	file := filepath.Join(r.t.TempDir(), "rights.yaml")
	require.NoError(r.t, os.WriteFile(file, []byte(rights), 0o600))
	tools.Run(r.t, r.Kubeconfig, "kubectl", "apply", "--filename", file)
	return rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + r.namespace + ":booking-trainbooking-operator",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + r.namespace, "system:authenticated"},
	}
}

func hostOf(tb testing.TB, address string) string {
	tb.Helper()
	u, err := url.Parse(address)
	require.NoError(tb, err)
	return u.Host
}

// operate starts an operator.
func (r *rail) operate(args ...string) *processtest.Process {
	r.t.Helper()
	command := processtest.CommandOf(r.t, "operator", append([]string{
		"--service-url", r.gate.service.URL, "--service-token-file", r.token, "--watch-namespaces", r.namespace,
		"--no-leader-elect", "--metrics-listen", "0", "--health-listen", "0", "--resync", resync.String(),
	}, args...)...)
	command.Env = append(command.Env, "KUBECONFIG="+kubeconfig(r.t, r.gate.cluster.URL))
	p := processtest.StartProcess(r.t, command)
	r.t.Cleanup(func() {
		require.NotContains(r.t, p.Log.String(), "forbidden", "it has not all the rights that it needs")
	})
	return p
}

// kubeconfig is a file by which a server is reached without more.
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

// create makes a Train of express and returns it.
func (r *rail) create(edit func(spec map[string]any)) *v1alpha1.Train {
	r.t.Helper()
	return r.createNamed("", edit)
}

func (r *rail) createNamed(name string, edit func(spec map[string]any)) *v1alpha1.Train {
	r.t.Helper()
	train := manifest(r.t, edit)
	train.SetNamespace(r.namespace)
	train.SetName(name)
	require.NoError(r.t, r.Create(r.t.Context(), train))
	return r.get(client.ObjectKeyFromObject(train))
}

func (r *rail) get(key client.ObjectKey) *v1alpha1.Train {
	r.t.Helper()
	var train v1alpha1.Train
	require.NoError(r.t, r.Get(r.t.Context(), key, &train))
	return &train
}

// edit changes the spec of a Train, as kubectl apply does.
func (r *rail) edit(t *v1alpha1.Train, edit func(spec map[string]any)) {
	r.t.Helper()
	spec := map[string]any{}
	edit(spec)
	r.patch(t, map[string]any{"spec": spec})
}

// patch changes a Train by a merge patch.
func (r *rail) patch(t *v1alpha1.Train, change any) {
	r.t.Helper()
	text, err := json.Marshal(change)
	require.NoError(r.t, err)
	require.NoError(r.t, r.Patch(r.t.Context(), t.DeepCopy(), client.RawPatch(types.MergePatchType, text)))
}

// await waits until the Train is as it should be.
func (r *rail) await(t *v1alpha1.Train, is func(*v1alpha1.Train) bool) *v1alpha1.Train {
	r.t.Helper()
	var got v1alpha1.Train
	r.until(func(ctx context.Context) bool {
		return r.Get(ctx, client.ObjectKeyFromObject(t), &got) == nil && is(&got)
	}, func() string { return fmt.Sprintf("%+v", got.Status) })
	return &got
}

// until polls until what is hoped for is true.
func (r *rail) until(is func(ctx context.Context) bool, or func() string) {
	r.t.Helper()
	if !within(r.t.Context(), processtest.Patience, is) {
		require.Fail(r.t, "it does not come to it", or())
	}
}

// within polls for a time.
func within(ctx context.Context, patience time.Duration, is func(ctx context.Context) bool) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !is(ctx) {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
	return true
}

// gone waits until there is no such Train.
func (r *rail) gone(t *v1alpha1.Train) {
	r.t.Helper()
	var got v1alpha1.Train
	r.until(func(ctx context.Context) bool {
		err := r.Get(ctx, client.ObjectKeyFromObject(t), &got)
		return client.IgnoreNotFound(err) == nil && (err != nil || got.UID != t.UID)
	}, func() string { return fmt.Sprintf("%+v %+v", got.ObjectMeta, got.Status) })
}

// delete deletes the Train and does not wait.
func (r *rail) delete(t *v1alpha1.Train) {
	r.t.Helper()
	require.NoError(r.t, r.Delete(r.t.Context(), t))
}

// sold returns the train as the service has it, nil if it has none.
func (r *rail) sold(id string) *booking.Availability {
	r.t.Helper()
	parsed, err := booking.ParseTrainID(id)
	require.NoError(r.t, err)
	found, err := r.trains.FindTrain(r.t.Context(), parsed)
	if booking.CodeOf(err) == booking.CodeNotFound {
		return nil
	}
	require.NoError(r.t, err)
	return &found
}

// passenger registers someone who books.
func (r *rail) passenger() *processtest.Client {
	r.t.Helper()
	return processtest.SignUp(r.t, r.service.URL, "p"+uuid.NewString()[:8])
}

// book books a seat and returns the id of the booking.
func (r *rail) book(p *processtest.Client, train string, seat int) string {
	r.t.Helper()
	locked := p.Must(r.t, http.StatusOK, "POST", "/train/book-ticket/",
		processtest.Object{"train_id": train, "seat_number": seat})
	return p.Must(r.t, http.StatusOK, "POST", "/train/confirm-booking/",
		processtest.Object{"seat_id": locked.SeatID}).BookingID
}

func conditionOf(t *v1alpha1.Train, kind string) *metav1.Condition {
	return meta.FindStatusCondition(t.Status.Conditions, kind)
}

// ready reports whether the Train is Ready at its generation.
func ready(t *v1alpha1.Train) bool {
	c := conditionOf(t, v1alpha1.ConditionReady)
	return c.Status == metav1.ConditionTrue && c.ObservedGeneration == t.Generation && t.Status.Booked != nil
}

// because reports whether the Train is not ready, for a reason, at its generation.
func because(reason string) func(t *v1alpha1.Train) bool {
	return func(t *v1alpha1.Train) bool {
		c := conditionOf(t, v1alpha1.ConditionReady)
		return c.Status == metav1.ConditionFalse && c.Reason == reason && c.ObservedGeneration == t.Generation
	}
}

// gate is what an operator goes through to the API server and to the service. It counts
// the calls that change or ask about one thing, and stops one of them.
type gate struct {
	cluster, service *httptest.Server

	stop    chan *stop   // the next one; capacity 1
	silence sync.RWMutex // locked while watches tell nothing
}

// stop is the call at which the operator is to be killed.
type stop struct {
	after      int           // how many calls pass before it
	carriedOut bool          // or else it does not arrive
	reached    chan string   // gets the call; capacity 1
	killed     chan struct{} // closed by who has killed the operator
}

func newGate(tb testing.TB, config *rest.Config, service string) *gate {
	tb.Helper()
	g := &gate{stop: make(chan *stop, 1)}
	g.stop <- nil
	transport, err := rest.TransportFor(config)
	require.NoError(tb, err)
	g.cluster = g.proxy(tb, config.Host, transport)
	g.service = g.proxy(tb, service, &http.Transport{})
	return g
}

func (g *gate) proxy(tb testing.TB, target string, transport http.RoundTripper) *httptest.Server {
	tb.Helper()
	u, err := url.Parse(target)
	require.NoError(tb, err)
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(p *httputil.ProxyRequest) { p.SetURL(u) },
		Transport:     transport,
		FlushInterval: -1, // watches
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			panic(http.ErrAbortHandler) // as if there were no proxy
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		g.pass(proxy, w, q)
	}))
	tb.Cleanup(server.Close)
	return server
}

// pass passes a call on, unless it is the one to stop at.
func (g *gate) pass(proxy http.Handler, w http.ResponseWriter, q *http.Request) {
	s := g.count(q)
	if q.URL.Query().Has("watch") {
		w = heard{w, &g.silence}
	}
	if s == nil {
		proxy.ServeHTTP(w, q)
		return
	}
	if s.carriedOut {
		proxy.ServeHTTP(httptest.NewRecorder(), q)
	}
	s.reached <- q.Method + " " + q.URL.Path
	<-s.killed
	panic(http.ErrAbortHandler)
}

// heard passes on what a watch tells, unless there is silence.
type heard struct {
	http.ResponseWriter
	silence *sync.RWMutex
}

func (h heard) Write(b []byte) (int, error) {
	h.silence.RLock()
	defer h.silence.RUnlock()
	return h.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (h heard) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// count returns the stop if the call is the one.
func (g *gate) count(q *http.Request) *stop {
	one := strings.Contains(q.URL.Path, "/trains/")
	if q.Method == http.MethodGet && !one {
		return nil // of the cache, or of the poller
	}
	s := <-g.stop
	if s == nil || s.after > 0 {
		if s != nil {
			s.after--
		}
		g.stop <- s
		return nil
	}
	g.stop <- nil
	return s
}

// set makes the gate stop at another call, or at none, and returns where it was to stop
// before; nil where it did.
func (g *gate) set(s *stop) (before *stop) {
	before = <-g.stop
	g.stop <- s
	return before
}
