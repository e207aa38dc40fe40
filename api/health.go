package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"
)

// readyTime bounds the asking of the stores, so that a probe gets its answer before it
// gives up, which is after one second in Kubernetes unless it is told otherwise.
const readyTime = 900 * time.Millisecond

// health is the body of /healthz and /readyz.
type health struct {
	Status string   `json:"status"` // "ok" or "unavailable"
	Not    []string `json:"not_ready,omitempty"`
}

// healthz says that the process is alive. It asks nobody: a store that is away is no
// reason to be killed.
func (s *Server) healthz(context.Context, *call, nothing) (answer, error) {
	return ok(health{Status: "ok"}), nil
}

// readyz says whether the process can serve, and names what keeps it from that. The
// reasons are logged, not told: anyone may ask.
func (s *Server) readyz(ctx context.Context, _ *call, _ nothing) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	failing := map[string]error{}
	if s.draining.Load() {
		failing["draining"] = nil
	}
	for name, err := range s.ready(ctx) {
		if err != nil {
			failing[name] = err
			s.logger.WarnContext(ctx, "not ready", "check", name, "error", err)
		}
	}
	if len(failing) == 0 {
		return ok(health{Status: "ok"}), nil
	}
	not := slices.Sorted(maps.Keys(failing))
	return answer{
		status: http.StatusServiceUnavailable, header: http.Header{"Retry-After": {"1"}},
		body: encode(health{Status: "unavailable", Not: not}),
	}, nil
}
