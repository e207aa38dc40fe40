package client

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
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

// transports returns the transport of each request. It is safe for concurrent use.
type transports struct {
	caFile string

	mu      sync.Mutex
	current http.RoundTripper
	pem     []byte // what current read from caFile
}

// newTransports returns an error if caFile contains no certificate.
func newTransports(o Options) (*transports, error) {
	if o.HTTP != nil {
		current := o.HTTP.Transport
		if current == nil {
			current = http.DefaultTransport
		}
		return &transports{current: current}, nil
	}
	t := &transports{caFile: o.CAFile, current: newTransport(o.NoProxy)}
	_, err := t.get()
	return t, err
}

func newTransport(noProxy bool) *http.Transport {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok { // unless the program replaced it
		transport = standard.Clone()
	}
	if noProxy {
		transport.Proxy = nil
	}
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = maxIdleConns, maxIdleConns
	transport.IdleConnTimeout = idleTimeout
	transport.MaxResponseHeaderBytes = maxHeader
	return transport
}

// get returns a transport that trusts the current contents of caFile. If the file has changed, the
// idle connections are closed, so that removed authorities are no longer trusted.
func (t *transports) get() (http.RoundTripper, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.caFile == "" {
		return t.current, nil
	}
	pem, err := os.ReadFile(t.caFile)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(pem, t.pem) {
		return t.current, nil
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s contains no certificate in PEM", t.caFile)
	}
	former := t.current.(*http.Transport) //nolint:forcetypeassert // there is no file with Options.HTTP
	next := former.Clone()
	if next.TLSClientConfig == nil {
		next.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	next.TLSClientConfig.RootCAs = roots
	t.current, t.pem = next, pem
	former.CloseIdleConnections()
	return next, nil
}

func (t *transports) closeIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c, ok := t.current.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
