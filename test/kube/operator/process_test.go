package operator_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/operator/v1alpha1"
	"trainbooking.dev/test/processtest"
)

func TestStandbyTakesOverWhenTheLeaderIsStopped(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	elect := []string{"--leader-elect", "--leader-election-namespace", h.namespace}
	leader := h.startOperator(elect...)
	h.await(h.create(nil), ready)
	standby := h.startOperator(elect...)
	holder := standby.Await("standing by: another operator holds the lease")
	require.Contains(t, holder, h.namespace+"/"+"operator.trainbooking.dev")
	require.Contains(t, holder, `"holder"`)
	require.NotContains(t, standby.Log.String(), "Starting workers")

	start := time.Now()
	leader.Stop()
	standby.Await("Starting workers")
	var lease coordinationv1.Lease
	require.NoError(t, h.Get(t.Context(), client.ObjectKey{Namespace: h.namespace, Name: "operator.trainbooking.dev"}, &lease))
	require.Less(t, time.Since(start), time.Duration(*lease.Spec.LeaseDurationSeconds)*time.Second, "the lease was released, it did not expire")
	h.await(h.create(nil), ready)
	standby.Stop()
}

func TestTokenIsReadAgainWhenItChanges(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	good := h.token
	h.token = filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(h.token, []byte(strings.ToUpper(serviceToken)), 0o600))
	h.startOperator()
	train := h.await(h.create(nil), notReady(v1alpha1.ReasonServiceUnavailable))
	require.Contains(t, conditionOf(train, v1alpha1.ConditionReady).Message, "The service does not accept the operator's token")
	text, err := os.ReadFile(good)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(h.token, append(text, "a second line, which the operator ignores\n"...), 0o600))
	h.await(train, ready)

	// Without the file, the operator keeps the last token.
	require.NoError(t, os.Remove(h.token))
	h.await(h.create(nil), ready)
}

func TestMetricsRequireAuthorization(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	metrics, health := freeAddress(t), freeAddress(t)
	h.startOperator("--metrics-listen", metrics, "--health-listen", health)
	h.await(h.create(nil), ready)
	for _, path := range []string{"/healthz", "/readyz"} {
		h.awaitResponse(http.StatusOK, "ok", "http://"+health+path, "")
	}
	h.awaitResponse(http.StatusUnauthorized, "", "https://"+metrics+"/metrics", "")
	h.awaitResponse(http.StatusForbidden, "", "https://"+metrics+"/metrics", h.tokenOf("scraper"))

	name := h.namespace + "-scraper"
	require.NoError(t, h.Create(t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Rules:      []rbacv1.PolicyRule{{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}},
	}))
	require.NoError(t, h.Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: h.namespace, Name: "reader"}},
	}))
	reader := h.tokenOf("reader")
	h.awaitResponse(http.StatusOK, `trainbooking_operator_trains{reason="Synced"} 1`, "https://"+metrics+"/metrics", reader)
	h.awaitResponse(http.StatusOK, "trainbooking_operator_last_resync_timestamp_seconds", "https://"+metrics+"/metrics", reader)

	// A Train of its class that no operator follows, because the service in the status is gone.
	orphan := h.create(set("class", "nobodys"))
	orphan.Status.Service = "rail/gone"
	require.NoError(t, h.Status().Update(t.Context(), orphan))
	h.edit(orphan, func(spec map[string]any) { spec["class"] = nil })
	h.awaitResponse(http.StatusOK, `trainbooking_operator_trains{reason="OtherService"} 1`, "https://"+metrics+"/metrics", reader)
}

// tokenOf creates a service account and returns its token.
func (h *harness) tokenOf(name string) string {
	h.t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: name}}
	require.NoError(h.t, h.Create(h.t.Context(), account))
	request := &authenticationv1.TokenRequest{}
	require.NoError(h.t, h.SubResource("token").Create(h.t.Context(), account, request))
	return request.Status.Token
}

// freeAddress returns an address that is not in use.
func freeAddress(tb testing.TB) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	require.NoError(tb, listener.Close())
	return listener.Addr().String()
}

// awaitResponse waits for a response with the status and a body that contains part.
func (h *harness) awaitResponse(status int, part, url, token string) {
	h.t.Helper()
	var got string
	h.eventually(func(ctx context.Context) bool {
		var code int
		code, got = get(ctx, url, token)
		return code == status && strings.Contains(got, part)
	}, func() string { return url + ": " + got })
}

// get returns status 0 and the error if the request fails.
func get(ctx context.Context, url, token string) (status int, body string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err.Error()
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	c := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // self-signed
	}}
	response, err := c.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

func TestWrongCommandLineIsReported(t *testing.T) {
	t.Parallel()
	const canary = "canary-7d1f0a" // a secret that is given in a wrong place
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("\nthe second line\n"), 0o600))
	for _, row := range []struct {
		args    []string
		code    int
		message string
	}{
		{nil, 2, "missing flags: --service-url, --service-token-file"},
		{[]string{"--service-url", "booking:8080", "--service-token-file", token}, 2, "must be like https://example.org"},
		{[]string{"--service-url", "http://u:" + canary + "%zz@booking", "--service-token-file", token}, 2, "must be like https://example.org"},
		{[]string{"--service-url", "http://booking", "--service-token-file", token}, 2, "the first line is empty"},
		{[]string{"--service-url", "http://booking", "--service-token-file", canary}, 2, "--service-token-file: no such file"},
		{[]string{"--service-url", "https://booking", "--service-token-file", token, "--service-ca", canary}, 2, "--service-ca: no such file"},
		{[]string{"--service-url", "https://booking", "--service-token-file", token, "--service-ca", token}, 2, "contains no certificate"},
		{[]string{"--service-url", "http://booking", "--service-token-file", token, "--resync", "0"}, 2, "--resync"},
		{[]string{"--service-url", "http://booking", "--service-token-file", token, "--log-format", "xml"}, 2, "--log-format must be one of auto"},
		{[]string{"--resync", "soon"}, 2, "--resync"},
		{[]string{"start"}, 2, "unexpected argument start"},
		{[]string{"--version"}, 0, ""},
		{[]string{"--help"}, 0, ""},
	} {
		got := processtest.RunToEnd(t, processtest.CommandOf(t, "operator", row.args...))
		require.Equal(t, row.code, got.Code, got.Err)
		require.Contains(t, got.Err, row.message)
		require.NotContains(t, got.Out+got.Err, canary)
	}
}

// Without the poller, a Train recovers by its own backoff.
func TestUnavailableServiceIsRetriedWithBackoff(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator("--resync", "1h")
	first := h.await(h.create(nil), ready)
	h.link.Refuse()
	h.edit(first, set("capacity", 210))
	h.await(first, notReady(v1alpha1.ReasonServiceUnavailable))
	h.link.Restore()
	h.await(first, ready)
}

func TestOperatorPrintsItsPageItsVersionAndCompletions(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"--help":                   "\nEXAMPLES\n  # ",
		"--version":                "operator devel (go",
		"version --json":           `"version": "devel"`,
		"completion bash":          "__start_operator",
		"__complete --log-level ":  "debug\ninfo\nwarn\nerror\n:4\n",
		"__complete --service-ca ": ":0\n",
	} {
		got := processtest.RunToEnd(t, processtest.CommandOf(t, "operator", strings.Split(line, " ")...))
		require.Zero(t, got.Code, got.Err)
		require.Contains(t, got.Out, want, line)
	}
}
