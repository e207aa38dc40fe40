package embedded_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

// startTLS starts a service with TLS, whose files it returns.
func startTLS(t *testing.T, a *processtest.Authority, args ...string) (s *processtest.Server, certificate, key string) {
	t.Helper()
	certificate, key = a.Issue(t)
	return start(t, t.TempDir(), append([]string{"--tls-cert", certificate, "--tls-key", key}, args...)...), certificate, key
}

// withEnv runs a command with additional environment variables.
func withEnv(t *testing.T, environ []string, args ...string) result {
	t.Helper()
	c := processtest.Command(t, args...)
	c.Env = append(c.Env, environ...)
	return processtest.RunToEnd(t, c)
}

func TestServiceWithACertificateUsesHTTPS(t *testing.T) {
	t.Parallel()
	a, tokens := processtest.NewAuthority(t), tokenFile(t)
	s, certificate, key := startTLS(t, a, "--service-token-file", tokens)
	require.True(t, strings.HasPrefix(s.URL, "https://127.0.0.1:"), s.URL)

	plain, err := http.Get("http://" + strings.TrimPrefix(s.URL, "https://") + "/healthz")
	require.NoError(t, err)
	require.NoError(t, plain.Body.Close())
	require.Equal(t, 400, plain.StatusCode)
	_, err = (&tls.Dialer{Config: &tls.Config{RootCAs: a.Pool(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}}).DialContext(
		t.Context(), "tcp", strings.TrimPrefix(s.URL, "https://"))
	require.ErrorContains(t, err, "protocol version")

	// The check follows the settings of serve, and verifies the certificate when it is asked to.
	address := strings.TrimPrefix(s.URL, "https://")
	settings := []string{"TRAINBOOKING_LISTEN=" + address, "TRAINBOOKING_TLS_CERT=" + certificate, "TRAINBOOKING_TLS_KEY=" + key}
	proxied := append([]string{"HTTPS_PROXY=http://192.0.2.1:1", "HTTP_PROXY=http://192.0.2.1:1", "NO_PROXY=", "no_proxy="}, settings...)
	ready := result{Out: "ready\n"}
	require.Equal(t, ready, withEnv(t, proxied, "healthcheck"))
	require.Equal(t, ready, withEnv(t, settings, "healthcheck", "--ca", a.File))
	require.Equal(t, ready, run(t, "healthcheck", "--url", s.URL, "--ca", a.File))
	for _, args := range [][]string{
		{"--url", s.URL},
		{"--url", s.URL, "--ca", processtest.NewAuthority(t).File},
		{"--listen", address, "--tls-cert", certificate, "--ca", processtest.NewAuthority(t).File},
	} {
		got := run(t, append([]string{"healthcheck"}, args...)...)
		require.Equal(t, 1, got.Code)
		require.Contains(t, got.Err, "certificate")
	}

	smoked := smoke(t, "--url", s.URL, "--ca", a.File, "--service-token-file", tokens)
	require.Equal(t, 0, smoked.Code, smoked.Err)
	requireDistrusted(t, certificate, key, "smoke", "--service-token-file", tokens)
	for file, want := range map[string]string{"/nowhere": "--ca: no such file", tokens: "contains no certificate"} {
		got := smoke(t, "--url", s.URL, "--ca", file)
		require.Equal(t, 2, got.Code)
		require.Contains(t, got.Err, want)
	}
}

// requireDistrusted requires that a command refuses a server with a certificate of an authority that
// is not one of the system's. It does not wait until the command gives up: smoke tries for 32 s.
func requireDistrusted(t *testing.T, certificate, key string, args ...string) {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(certificate, key)
	require.NoError(t, err)
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	require.NoError(t, listener.SetDeadline(time.Now().Add(timeout)))
	processtest.StartProcess(t, processtest.Command(t, append(args, "--url", "https://"+listener.Addr().String())...))
	for {
		conn, err := listener.Accept()
		require.NoError(t, err)
		err = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{pair}}).HandshakeContext(t.Context())
		_ = conn.Close()
		if !errors.Is(err, syscall.ECONNRESET) { // a reset may overtake the alert, and the command tries again
			require.ErrorContains(t, err, "bad certificate")
			return
		}
	}
}

func TestRenewedCertificateIsUsedWithoutARestart(t *testing.T) {
	t.Parallel()
	a := processtest.NewAuthority(t)
	s, certificate, key := startTLS(t, a)
	served := func() *x509.Certificate {
		conn, err := (&tls.Dialer{Config: &tls.Config{RootCAs: a.Pool()}}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "https://"))
		require.NoError(t, err)
		defer conn.Close()
		return conn.(*tls.Conn).ConnectionState().PeerCertificates[0]
	}
	first := served()

	otherCertificate, otherKey := a.Issue(t)
	processtest.ReplaceFile(t, key, processtest.ReadFile(t, otherKey))
	broken := s.Await(`"level":"ERROR"`)
	require.Contains(t, broken, "the previous contents stay in use")
	require.Contains(t, broken, "private key does not match")
	require.Equal(t, first.SerialNumber, served().SerialNumber)

	processtest.ReplaceFile(t, certificate, processtest.ReadFile(t, otherCertificate))
	changed := s.Await("a file changed and is in use")
	require.Contains(t, changed, `"setting":"--tls-cert"`)
	require.Contains(t, changed, `"serial":"`+served().SerialNumber.Text(16)+`"`)
	require.NotEqual(t, first.SerialNumber, served().SerialNumber)
}

func TestRemovedServiceTokenIsRefusedWithoutARestart(t *testing.T) {
	t.Parallel()
	old, replacement := strings.Repeat("a", 40), strings.Repeat("b", 40)
	file := processtest.TempFile(t, old)
	s := start(t, t.TempDir(), "--service-token-file", file)
	status := func(token string) int {
		c := processtest.NewClient(s.URL)
		c.Token = token
		r, err := c.Send("POST", "/v1/trains", map[string]any{})
		require.NoError(t, err)
		return r.Status
	}
	require.Equal(t, []int{400, 401}, []int{status(old), status(replacement)})
	for _, step := range []struct {
		file, log string
		want      []int
	}{{old + "\n" + replacement, `"tokens":2`, []int{400, 400}}, {replacement, `"tokens":1`, []int{401, 400}}} {
		processtest.ReplaceFile(t, file, step.file)
		s.Await(step.log)
		require.Equal(t, step.want, []int{status(old), status(replacement)})
	}
	require.NotContains(t, s.Log.String(), replacement)
}

func TestUnusableTLSFilesAreNamed(t *testing.T) {
	t.Parallel()
	a := processtest.NewAuthority(t)
	certificate, _ := a.Issue(t)
	_, key := a.Issue(t)
	for want, args := range map[string][]string{
		"--tls-cert: no such file":              {"--tls-cert", "/nowhere", "--tls-key", key},
		"--tls-key: no such file":               {"--tls-cert", certificate, "--tls-key", "/nowhere"},
		"private key does not match":            {"--tls-cert", certificate, "--tls-key", key},
		"only one of --tls-cert and --tls-key":  {"--tls-cert", certificate},
		"--tls-key is set; set both or neither": {"--tls-key", key},
		"failed to find any PEM data":           {"--tls-cert", tokenFile(t), "--tls-key", key},
	} {
		s := launch(t, t.TempDir(), args...)
		require.Equal(t, 2, s.Wait(), want)
		require.Contains(t, s.Log.String(), want)
	}
}

// A proxy of the environment must not see the service token, not even the name of the service.
func TestProxyDoesNotSeeTheTokenOverHTTP(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 100)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Host
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(proxy.Close)
	var direct atomic.Int64
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		direct.Add(1)
		w.Header().Set("Content-Type", "application/problem+json") // an error after which smoke does not try again
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"status": 404, "code": "not_found", "error": "There is no such train"}`)
	}))
	t.Cleanup(service.Close)
	environ := []string{"HTTP_PROXY=" + proxy.URL, "HTTPS_PROXY=" + proxy.URL, "http_proxy=" + proxy.URL, "https_proxy=" + proxy.URL}
	tokens := tokenFile(t)
	feed, err := filepath.Abs("../../gtfs/testdata/small")
	require.NoError(t, err)
	// This machine, but not by a name or an address for which Go asks no proxy.
	at := "http://0.0.0.0:" + strings.Split(service.URL, ":")[2]
	for i, args := range [][]string{
		{"smoke", "--url", at, "--service-token-file", tokens},
		{"import", "gtfs", feed, "--capacity", "1", "--today", "2026-06-18", "--url", at, "--token-file", tokens},
		{"healthcheck", "--url", at},
		{"healthcheck", "--url", "https://booking.invalid:8080"},
	} {
		require.NotZero(t, withEnv(t, environ, args...).Code)
		require.Empty(t, seen, args)
		require.GreaterOrEqual(t, direct.Load(), int64(min(i+1, 3)), args)
	}
	c := processtest.Command(t, "smoke", "--url", "https://booking.invalid:8443", "--service-token-file", tokens)
	c.Env = append(c.Env, environ...)
	processtest.StartProcess(t, c) // and end it before it gives up
	select {
	case host := <-seen: // a proxy passes HTTPS on, which it cannot read
		require.Equal(t, "booking.invalid:8443", host)
	case <-time.After(timeout):
		require.Fail(t, "the proxy was not asked")
	}
}
