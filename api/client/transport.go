package client

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"
)

// The settings of the default transport.
const (
	// maxIdleConns is the number of idle connections. With net/http's default of two per
	// host, a hundred concurrent callers would connect for nearly every request.
	maxIdleConns = 100
	// idleTimeout is shorter than the server's two minutes, so that the client closes idle
	// connections and does not send a request on one that the server is closing.
	idleTimeout = 90 * time.Second
	// maxHeader is the maximum size of a response header in bytes.
	maxHeader = 64 << 10
)

// transport trusts what the file of authorities contains. It is safe for concurrent use.
type transport struct {
	caFile string
	log    *slog.Logger

	mu      sync.Mutex
	current *http.Transport
	pem     []byte // what current read from caFile
	problem string // with caFile, that is logged
}

// NewTransport returns the transport that a Client has if HTTP of its Options is nil. It uses CAFile,
// NoProxy and Logger, and returns an error if CAFile has no certificate.
func NewTransport(o Options) (http.RoundTripper, error) {
	base := newTransport(o.NoProxy)
	if o.CAFile == "" {
		return base, nil
	}
	t := &transport{caFile: o.CAFile, current: base, log: cmp.Or(o.Logger, slog.Default())}
	if err := t.load(); err != nil {
		return nil, err
	}
	return t, nil
}

func newTransport(noProxy bool) *http.Transport {
	transport := &http.Transport{ForceAttemptHTTP2: true}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok { // unless the program replaced it
		transport = standard.Clone()
	}
	transport.Proxy = tunnel
	if noProxy {
		transport.Proxy = nil
	}
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = maxIdleConns, maxIdleConns
	transport.IdleConnTimeout = idleTimeout
	transport.MaxResponseHeaderBytes = maxHeader
	return transport
}

// tunnel returns the proxy for an HTTPS request, of which it sees only the host. Over HTTP it would read
// the token.
func tunnel(r *http.Request) (*url.URL, error) {
	if r.URL.Scheme != "https" {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}

// RoundTrip implements http.RoundTripper. While the file of authorities cannot be used, those that it had
// are trusted.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.get().RoundTrip(r)
}

func (t *transport) get() *http.Transport {
	t.mu.Lock()
	defer t.mu.Unlock()
	problem := ""
	if err := t.load(); err != nil {
		problem = err.Error()
	}
	if problem != "" && problem != t.problem {
		t.log.Warn("the authorities of the API's certificate cannot be read; the last ones stay in use", "error", problem)
	}
	t.problem = problem
	return t.current
}

// load reads the file of authorities. If it has changed, the idle connections are closed, so that removed
// authorities are no longer trusted.
func (t *transport) load() error {
	pem, err := os.ReadFile(t.caFile)
	if err != nil {
		return err
	}
	if t.pem != nil && bytes.Equal(pem, t.pem) {
		return nil
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s contains no certificate in PEM", t.caFile)
	}
	former := t.current
	t.current, t.pem = former.Clone(), pem
	if t.current.TLSClientConfig == nil {
		t.current.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	t.current.TLSClientConfig.RootCAs = roots
	former.CloseIdleConnections()
	return nil
}

// CloseIdleConnections is called by http.Client.
func (t *transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current.CloseIdleConnections()
}
