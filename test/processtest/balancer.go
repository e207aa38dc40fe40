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
	probeTime  = time.Second // the timeout of a probe
)

// Balancer is a load balancer: it forwards requests round-robin to the processes that are
// ready. It never sends a request again that may have been executed.
type Balancer struct {
	URL string

	mu       sync.Mutex
	backends []*Backend
	next     int
	probes   sync.WaitGroup
}

// Backend is a process behind the balancer.
type Backend struct {
	url       string
	ready     atomic.Bool // its last /readyz was 200
	transport *http.Transport
	cancel    context.CancelFunc
}

// NewBalancer starts a balancer. It is stopped when the test ends.
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

// Add adds the process at url. It gets requests while its /readyz returns 200.
func (b *Balancer) Add(url string) *Backend {
	ctx, cancel := context.WithCancel(context.Background())
	// The service closes a connection that was never used after 5 s. The balancer closes it
	// earlier, so that it does not send a request at that moment.
	transport := &http.Transport{MaxIdleConnsPerHost: 100, IdleConnTimeout: 3 * time.Second}
	to := &Backend{url: url, cancel: cancel, transport: transport}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backends = append(b.backends, to)
	b.probes.Go(func() { to.probe(ctx) })
	return to
}

// Remove removes a process, which gets no more requests.
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

// pick returns the next ready process, nil if none is ready.
func (b *Balancer) pick() *Backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range b.backends {
		b.next++
		if to := b.backends[b.next%len(b.backends)]; to.ready.Load() {
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
	response, err := to.transport.RoundTrip(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil && response.StatusCode == http.StatusOK
}

func (b *Balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has closed the connection
	}
	for {
		to := b.pick()
		if to == nil {
			writeProblem(w, http.StatusServiceUnavailable, "not_executed", "no process is ready")
			return
		}
		response, err := to.forward(r, body)
		switch {
		case err == nil:
			copyResponse(w, response)
			return
		case isNotSent(err):
			to.ready.Store(false) // until the next probe
		default:
			writeProblem(w, http.StatusBadGateway, "unknown", fmt.Sprintf("%s: %v", to.url, err))
			return
		}
	}
}

// forward sends the request. The transport itself repeats only requests without a body,
// because GetBody is nil, and these are safe to repeat.
func (to *Backend) forward(r *http.Request, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, to.url+r.URL.RequestURI(), http.NoBody) //nolint:gosec // to a process of the test
	if err != nil {
		return nil, err
	}
	request.Header = r.Header.Clone()
	if len(body) > 0 {
		request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return to.transport.RoundTrip(request)
}

// isNotSent reports whether err means that no connection was made.
func isNotSent(err error) bool {
	failed, ok := errors.AsType[*net.OpError](err)
	return ok && failed.Op == "dial"
}

func copyResponse(w http.ResponseWriter, response *http.Response) {
	defer response.Body.Close()
	maps.Copy(w.Header(), response.Header)
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(stream{w}, response.Body) // fails if the client has closed the connection
}

// stream flushes each write, as a stream of events needs it.
type stream struct{ http.ResponseWriter }

func (s stream) Write(text []byte) (int, error) {
	n, err := s.ResponseWriter.Write(text)
	return n, errors.Join(err, http.NewResponseController(s.ResponseWriter).Flush())
}

// writeProblem responds as the service does, with the outcome of the request.
func writeProblem(w http.ResponseWriter, status int, outcome, why string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // fails if the client has closed the connection
		"status": status, "code": "unavailable", "outcome": outcome, "error": "balancer: " + why,
	})
}
