package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// readyTimeout limits the readiness checks, so that the response arrives before the probe
// times out. The default timeout of Kubernetes is one second.
const readyTimeout = 900 * time.Millisecond

// readyTTL is how long the result of the checks is reused. It is shorter than the period of
// any probe.
const readyTTL = 500 * time.Millisecond

// healthResponse is the body of /healthz and /readyz.
type healthResponse struct {
	Status   string   `json:"status"` // "ok" or "unavailable"
	NotReady []string `json:"not_ready,omitempty"`
}

// healthz reports that the process is alive. It checks no stores, because a restart does
// not help when a store is unreachable.
func (s *Server) healthz(context.Context, *call, noFields) (response, error) {
	return ok(healthResponse{Status: "ok"}), nil
}

// readyz reports whether the process can serve, and names the checks that failed. Their
// errors are logged but not sent, because the endpoint needs no token.
func (s *Server) readyz(ctx context.Context, _ *call, _ noFields) (response, error) {
	failing := map[string]error{}
	if s.draining.Load() {
		failing["draining"] = nil
	}
	for name, err := range s.checks(ctx) {
		if err != nil {
			failing[name] = err
			s.logger.WarnContext(ctx, "not ready", "check", name, "error", err)
		}
	}
	if len(failing) == 0 {
		return ok(healthResponse{Status: "ok"}), nil
	}
	return response{
		status: http.StatusServiceUnavailable, header: http.Header{"Retry-After": {"1"}},
		body: encode(healthResponse{Status: "unavailable", NotReady: slices.Sorted(maps.Keys(failing))}),
	}, nil
}

// checks runs the readiness checks at most once per readyTTL, because a check writes to the
// store.
func (s *Server) checks(ctx context.Context) map[string]error {
	s.readiness.mu.Lock()
	defer s.readiness.mu.Unlock()
	if now := s.now(); s.readiness.checkedAt.IsZero() || now.Sub(s.readiness.checkedAt) >= readyTTL {
		// WithoutCancel: the result is shared, so a client that disconnects must not fail it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTimeout)
		defer cancel()
		s.readiness.failing = s.ready(ctx)
		s.readiness.checkedAt = s.now() // after the checks, which may take longer than readyTTL
	}
	return s.readiness.failing
}

// readiness caches the last result of Options.Ready.
type readiness struct {
	mu        sync.Mutex
	checkedAt time.Time
	failing   map[string]error
}
