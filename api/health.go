package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// readyTime bounds the asking of the stores, so that a probe gets its answer before it
// gives up, which is after one second in Kubernetes unless it is told otherwise.
const readyTime = 900 * time.Millisecond

// readyLife is for how long the answer of the stores is told again: shorter than the
// period of any probe.
const readyLife = 500 * time.Millisecond

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

// readyz reports whether the process can serve, and names what keeps it from that. The
// reasons are logged, not told: anyone may ask.
func (s *Server) readyz(ctx context.Context, _ *call, _ nothing) (answer, error) {
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
		return ok(health{Status: "ok"}), nil
	}
	not := slices.Sorted(maps.Keys(failing))
	return answer{
		status: http.StatusServiceUnavailable, header: http.Header{"Retry-After": {"1"}},
		body: encode(health{Status: "unavailable", Not: not}),
	}, nil
}

// checks asks what the process needs, at most once in readyLife, however often and by
// whom /readyz is asked: a store pays for its answer with a write.
func (s *Server) checks(ctx context.Context) map[string]error {
	s.readiness.mu.Lock()
	defer s.readiness.mu.Unlock()
	if now := s.now(); s.readiness.asked.IsZero() || now.Sub(s.readiness.asked) >= readyLife {
		// The answer is for others too: a client that leaves must not spoil it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTime)
		defer cancel()
		s.readiness.failing = s.ready(ctx)
		s.readiness.asked = s.now() // not before: the asking may take longer than readyLife
	}
	return s.readiness.failing
}

// readiness is the last answer of Options.Ready.
type readiness struct {
	mu      sync.Mutex
	asked   time.Time
	failing map[string]error
}
