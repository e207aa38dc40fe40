package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
)

// Health is what the process can reach. The errors are logged but not sent, because the endpoints
// need no token.
type Health struct {
	Dependencies map[string]error // by name; nil: it can be reached
	NotReady     map[string]error // why the process should get no requests, by dependency
}

// healthResponse is the body of /healthz and /readyz.
type healthResponse struct {
	Status       string            `json:"status"` // "ok" or "unavailable"
	NotReady     []string          `json:"not_ready,omitempty"`
	Dependencies map[string]string `json:"dependencies,omitempty"` // "ok" or "unavailable"
}

// healthz reports that the process is alive. It checks no stores, because a restart does
// not help when a store is unreachable.
func (s *Server) healthz(context.Context, *call, noFields) (response, error) {
	return ok(healthResponse{Status: "ok"}), nil
}

// readyz reports whether requests should be sent to this process, and what it can reach. A store
// that no process can reach is no reason to send the requests elsewhere.
func (s *Server) readyz(ctx context.Context, _ *call, _ noFields) (response, error) {
	health := s.health()
	body := healthResponse{Status: "ok", NotReady: slices.Sorted(maps.Keys(health.NotReady)), Dependencies: map[string]string{}}
	for name, err := range health.Dependencies {
		body.Dependencies[name] = "ok"
		if err != nil {
			body.Dependencies[name] = "unavailable"
		}
	}
	for name, err := range health.NotReady {
		s.logger.WarnContext(ctx, "not ready", "check", name, "error", err)
	}
	if s.draining.Load() {
		body.NotReady = slices.Sorted(slices.Values(append(body.NotReady, "draining")))
	}
	if len(body.NotReady) == 0 {
		return ok(body), nil
	}
	body.Status = "unavailable"
	return response{
		status: http.StatusServiceUnavailable, header: http.Header{"Retry-After": {"1"}}, body: encode(body),
	}, nil
}
