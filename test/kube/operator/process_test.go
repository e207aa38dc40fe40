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
	r := newRail(t)
	elect := []string{"--leader-elect", "--leader-election-namespace", r.namespace}
	leader := r.operate(elect...)
	r.await(r.create(nil), ready)
	standby := r.operate(elect...)
	standby.Await("Attempting to acquire leader lease")
	require.NotContains(t, standby.Log.String(), "Starting workers")

	start := time.Now()
	leader.Stop()
	standby.Await("Starting workers")
	var lease coordinationv1.Lease
	require.NoError(t, r.Get(t.Context(), client.ObjectKey{Namespace: r.namespace, Name: "operator.trainbooking.dev"}, &lease))
	require.Less(t, time.Since(start), time.Duration(*lease.Spec.LeaseDurationSeconds)*time.Second, "the lease was released, not waited for")
	r.await(r.create(nil), ready)
	standby.Stop()
}

func TestTokenIsReadAgainWhenItChanges(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	good := r.token
	r.token = filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(r.token, []byte(strings.ToUpper(serviceToken)), 0o600))
	r.operate()
	train := r.await(r.create(nil), because(v1alpha1.ReasonServiceUnavailable))
	require.Contains(t, conditionOf(train, v1alpha1.ConditionReady).Message, "The service does not accept the operator's token")
	text, err := os.ReadFile(good)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(r.token, append(text, "a second line that is not for the operator\n"...), 0o600))
	r.await(train, ready)
}

func TestMetricsAreForThoseWhoMayGetThem(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	metrics, health := freeAddress(t), freeAddress(t)
	r.operate("--metrics-listen", metrics, "--health-listen", health)
	r.await(r.create(nil), ready)
	for _, path := range []string{"/healthz", "/readyz"} {
		r.answers(http.StatusOK, "ok", "http://"+health+path, "")
	}
	r.answers(http.StatusUnauthorized, "", "https://"+metrics+"/metrics", "")
	r.answers(http.StatusForbidden, "", "https://"+metrics+"/metrics", r.tokenOf("scraper"))

	name := r.namespace + "-scraper"
	require.NoError(t, r.Create(t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Rules:      []rbacv1.PolicyRule{{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}},
	}))
	require.NoError(t, r.Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: r.namespace, Name: "reader"}},
	}))
	reader := r.tokenOf("reader")
	r.answers(http.StatusOK, `trainbooking_operator_trains{reason="Synced"} 1`, "https://"+metrics+"/metrics", reader)
	r.answers(http.StatusOK, "trainbooking_operator_last_resync_timestamp_seconds", "https://"+metrics+"/metrics", reader)
}

// tokenOf makes a service account and returns its token.
func (r *rail) tokenOf(name string) string {
	r.t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: name}}
	require.NoError(r.t, r.Create(r.t.Context(), account))
	request := &authenticationv1.TokenRequest{}
	require.NoError(r.t, r.SubResource("token").Create(r.t.Context(), account, request))
	return request.Status.Token
}

// freeAddress is one that nobody listens on, yet.
func freeAddress(tb testing.TB) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	require.NoError(tb, listener.Close())
	return listener.Addr().String()
}

// answers waits until a URL is answered so.
func (r *rail) answers(status int, part, url, token string) {
	r.t.Helper()
	var got string
	r.until(func(ctx context.Context) bool {
		var code int
		code, got = get(ctx, url, token)
		return code == status && strings.Contains(got, part)
	}, func() string { return url + ": " + got })
}

// get returns 0 and the error where nothing answers.
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
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // it signs its own
	}}
	answer, err := c.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(text)
}

func TestWrongCommandLineIsTold(t *testing.T) {
	t.Parallel()
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("\nthe second line\n"), 0o600))
	for _, row := range []struct {
		args    []string
		code    int
		message string
	}{
		{nil, 2, "missing flags: --service-token-file=FILE, --service-url=URL"},
		{[]string{"--service-url", "booking:8080", "--service-token-file", token}, 2, "must be like https://example.org"},
		{[]string{"--service-url", "http://booking", "--service-token-file", token}, 2, "the first line is empty"},
		{[]string{"--service-url", "http://booking", "--service-token-file", "/none"}, 2, "no such file"},
		{[]string{"--service-url", "http://booking", "--service-token-file", token, "--resync", "0"}, 2, "--resync"},
		{[]string{"--version"}, 0, ""},
		{[]string{"--help"}, 0, ""},
	} {
		got := processtest.RunToEnd(t, processtest.CommandOf(t, "operator", row.args...))
		require.Equal(t, row.code, got.Code, got.Err)
		require.Contains(t, got.Err, row.message)
	}
}

// A service that answers nothing at all is no reason to ask it again and again.
func TestSilentServiceIsAskedLessAndLess(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	r.operate("--resync", "1h")
	first := r.await(r.create(nil), ready)
	r.link.Refuse()
	r.edit(first, set("capacity", 210))
	r.await(first, because(v1alpha1.ReasonServiceUnavailable))
	r.link.Join()
	r.await(first, ready) // by its own backoff: nothing is polled
}
