package operator_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/operator/v1alpha1"
)

// A proxy in the environment would see the service token. The address 0.0.0.0 is that of the loopback
// interface, and one of those for which Go asks a proxy, unlike 127.0.0.1.
func TestNoProxySeesTheServiceToken(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var requests atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		http.Error(w, "a proxy", http.StatusBadGateway)
	}))
	t.Cleanup(proxy.Close)
	service := strings.Replace(h.proxy.service.URL, "127.0.0.1", "0.0.0.0", 1)
	require.Contains(t, service, "0.0.0.0")
	h.environment = []string{"HTTP_PROXY=" + proxy.URL, "HTTPS_PROXY=" + proxy.URL, "ALL_PROXY=" + proxy.URL, "NO_PROXY="}
	h.startOperator("--service-url", service)
	h.await(h.create(nil), ready)
	require.Zero(t, requests.Load())
}

func TestAuthoritiesOfTheServiceAreReadAgainWhenTheyChange(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	target, err := url.Parse(h.proxy.service.URL)
	require.NoError(t, err)
	secure := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(target))
	t.Cleanup(secure.Close)
	authorities := filepath.Join(t.TempDir(), "ca.crt")
	write := func(certificate []byte) {
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
		require.NoError(t, os.WriteFile(authorities, text, 0o600))
	}
	require.NoError(t, os.WriteFile(authorities, h.Config.CAData, 0o600)) // of another server
	h.startOperator("--service-url", secure.URL, "--service-ca", authorities)
	train := h.await(h.create(nil), notReady(v1alpha1.ReasonServiceUnavailable))
	require.Contains(t, conditionOf(train, v1alpha1.ConditionReady).Message, "certificate signed by unknown authority")
	write(secure.Certificate().Raw)
	h.await(train, ready)
}

func hostOf(tb testing.TB, address string) string {
	tb.Helper()
	u, err := url.Parse(address)
	require.NoError(tb, err)
	return u.Host
}
