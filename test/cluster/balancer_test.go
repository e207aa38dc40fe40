package cluster_test

import (
	"bytes"
	"context"
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

// balancer gives requests in turn to the processes that are ready, as a load balancer
// does. A request that may have been executed is never sent again.
type balancer struct {
	url string

	mu       sync.Mutex
	backends []*backend
	turn     int
	probes   sync.WaitGroup
}

// backend is a process behind the balancer.
type backend struct {
	url       string
	ready     atomic.Bool // its last /readyz was 200
	transport *http.Transport
	cancel    context.CancelFunc
}

func newBalancer(t *testing.T) *balancer {
	t.Helper()
	b := &balancer{}
	server := httptest.NewServer(b)
	b.url = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		for _, to := range b.all() {
			b.remove(to)
		}
		b.probes.Wait()
		server.Close()
	})
	return b
}

// add begins to ask a process whether it is ready.
func (b *balancer) add(url string) *backend {
	ctx, cancel := context.WithCancel(context.Background())
	to := &backend{url: url, cancel: cancel, transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backends = append(b.backends, to)
	b.probes.Go(func() { to.probe(ctx) })
	return to
}

func (b *balancer) remove(to *backend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	to.cancel()
	to.ready.Store(false)
	b.backends = slices.DeleteFunc(b.backends, func(other *backend) bool { return other == to })
}

func (b *balancer) all() []*backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.backends)
}

// next returns the process whose turn it is, nil if none is ready.
func (b *balancer) next() *backend {
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

func (to *backend) probe(ctx context.Context) {
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

func (to *backend) isReady(ctx context.Context) bool {
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

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	for {
		to := b.next()
		if to == nil {
			refuse(w, http.StatusServiceUnavailable, "no process is ready")
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
			refuse(w, http.StatusBadGateway, fmt.Sprintf("%s: %v", to.url, err))
			return
		}
	}
}

// forward sends the request. Without GetBody the transport sends no request again that
// has a body; those without one are safe to repeat.
func (to *backend) forward(r *http.Request, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, to.url+r.URL.RequestURI(), http.NoBody)
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

func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("X-Refused-By", "balancer")
	http.Error(w, "balancer: "+why, status)
}
