package processtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	probeEvery = 100 * time.Millisecond
	probeTime  = time.Second
)

// Balancer gives requests in turn to the processes that are ready, as a load balancer
// does. A request that may have been executed is never sent again.
type Balancer struct {
	URL string

	mu       sync.Mutex
	backends []*Backend
	turn     int
	probes   sync.WaitGroup
}

// Backend is a process behind the balancer.
type Backend struct {
	url       string
	ready     atomic.Bool // its last /readyz was 200
	transport *http.Transport
	cancel    context.CancelFunc
}

// NewBalancer starts a balancer that ends with the test.
func NewBalancer(t *testing.T) *Balancer {
	t.Helper()
	b := &Balancer{}
	server := httptest.NewServer(b)
	b.URL = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		for _, to := range b.all() {
			b.Remove(to)
		}
		b.probes.Wait()
		server.Close()
	})
	return b
}

// Add begins to ask a process whether it is ready.
func (b *Balancer) Add(url string) *Backend {
	ctx, cancel := context.WithCancel(context.Background())
	// A connection that was made ahead and not used is closed by the service after 5 s: a
	// request must not be sent over it just then.
	transport := &http.Transport{MaxIdleConnsPerHost: 100, IdleConnTimeout: 3 * time.Second}
	to := &Backend{url: url, cancel: cancel, transport: transport}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backends = append(b.backends, to)
	b.probes.Go(func() { to.probe(ctx) })
	return to
}

// Remove gives a process no more requests.
func (b *Balancer) Remove(to *Backend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	to.cancel()
	to.ready.Store(false)
	b.backends = slices.DeleteFunc(b.backends, func(other *Backend) bool { return other == to })
}

func (b *Balancer) all() []*Backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.backends)
}

// next returns the process whose turn it is, nil if none is ready.
func (b *Balancer) next() *Backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range b.backends {
		b.turn++
		if to := b.backends[b.turn%len(b.backends)]; to.ready.Load() {
			return to
		}
	}
	return nil
}

// Ready reports whether the process gets requests.
func (to *Backend) Ready() bool { return to.ready.Load() }

func (to *Backend) probe(ctx context.Context) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	defer to.transport.CloseIdleConnections()
	for {
		ready := to.isReady(ctx)
		if ctx.Err() != nil {
			return
		}
		to.ready.Store(ready)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (to *Backend) isReady(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, to.url+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	answer, err := to.transport.RoundTrip(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err == nil && answer.StatusCode == http.StatusOK
}

func (b *Balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	for {
		to := b.next()
		if to == nil {
			refuse(w, http.StatusServiceUnavailable, "not_executed", "no process is ready")
			return
		}
		answer, err := to.forward(r, body)
		switch {
		case err == nil:
			pass(w, answer)
			return
		case isNotSent(err):
			to.ready.Store(false) // until it says otherwise
		default:
			refuse(w, http.StatusBadGateway, "unknown", fmt.Sprintf("%s: %v", to.url, err))
			return
		}
	}
}

// forward sends the request. Without GetBody the transport sends no request again that
// has a body; those without one are safe to repeat.
func (to *Backend) forward(r *http.Request, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, to.url+r.URL.RequestURI(), http.NoBody) //nolint:gosec // to one of ours
	if err != nil {
		return nil, err
	}
	request.Header = r.Header.Clone()
	if len(body) > 0 {
		request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return to.transport.RoundTrip(request)
}

// isNotSent says that no connection was made.
func isNotSent(err error) bool {
	failed, ok := errors.AsType[*net.OpError](err)
	return ok && failed.Op == "dial"
}

func pass(w http.ResponseWriter, answer *http.Response) {
	defer answer.Body.Close()
	maps.Copy(w.Header(), answer.Header)
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body) // a client that is gone wants no more
}

// refuse answers as the service does, so that clients know whether anything was sent.
func refuse(w http.ResponseWriter, status int, outcome, why string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Object{ // a client that is gone wants no more
		"status": status, "code": "unavailable", "outcome": outcome, "error": "balancer: " + why,
	})
}
