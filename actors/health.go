package actors

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"trainbooking.dev/cluster"
	"trainbooking.dev/persistence"
)

const (
	checkInterval = time.Second
	// checkTimeout is longer than a short stall of a store, which requests survive too.
	checkTimeout = 2 * time.Second
	// isolatedAfter is how long a process must fail to reach what its peers reach before it is not
	// ready. It is longer than all of them need to notice that a store is down.
	isolatedAfter = 4 * time.Second
)

// Health is what this process can reach. It is immutable.
type Health struct {
	// Dependencies has an error, or nil, for "store" and, in a cluster, "cluster": the heartbeats.
	Dependencies map[string]error
	// NotReady are those of them that make this process worse than its peers, so that it should
	// get no requests.
	NotReady map[string]error
}

// monitor checks at an interval what this process can reach, and tells its peers by the health
// service of gRPC.
//
//	reachable ──▶ unreachable ──4 s───▶ isolated, if a peer can reach it
//	    ▲              │                    │
//	    └──────────────┴────────────────────┘
//
// A store that is down for all processes makes none of them isolated: they answer from memory, and
// refuse the rest themselves, with the outcome.
type monitor struct {
	system *System
	server *health.Server // one service for each dependency

	mu      sync.Mutex
	failing map[string]time.Time // since when
	health  Health
}

func newMonitor(s *System) *monitor {
	m := &monitor{
		system: s, server: health.NewServer(), failing: map[string]time.Time{},
		health: Health{NotReady: map[string]error{}},
	}
	grpc_health_v1.RegisterHealthServer(s.cluster.Registrar(), m.server)
	return m
}

// Health returns the result of the last checks. A process that its peers have evicted is not ready
// at once.
func (s *System) Health() Health {
	s.monitor.mu.Lock()
	h := s.monitor.health
	s.monitor.mu.Unlock()
	if err := s.cluster.Joined(); errors.Is(err, cluster.ErrEvicted) {
		h.NotReady = maps.Clone(h.NotReady)
		h.NotReady["cluster"] = err
	}
	return h
}

// run checks until ctx ends.
func (m *monitor) run(ctx context.Context) {
	tick := time.NewTicker(checkInterval)
	defer tick.Stop()
	for {
		m.check(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (m *monitor) check(ctx context.Context) {
	h := Health{Dependencies: map[string]error{"store": m.system.pingStore(ctx)}, NotReady: map[string]error{}}
	if m.system.cluster.Address() != "" {
		h.Dependencies["cluster"] = m.system.cluster.Joined()
	}
	if ctx.Err() != nil {
		return
	}
	for name, err := range h.Dependencies {
		if m.report(name, err) >= isolatedAfter && m.peersReach(ctx, name) {
			h.NotReady[name] = err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.health = h
}

// report publishes the result of a check and returns for how long the checks have failed.
func (m *monitor) report(name string, err error) time.Duration {
	since, failing := m.failing[name]
	up, status := 1.0, grpc_health_v1.HealthCheckResponse_SERVING
	switch {
	case err == nil && failing:
		delete(m.failing, name)
		m.system.log.Info("reachable again", slog.String("dependency", name))
	case err != nil && !failing:
		since = time.Now()
		m.failing[name] = since
		m.system.log.Warn("unreachable", slog.String("dependency", name), slog.Any("error", err))
	}
	if err != nil {
		up, status = 0, grpc_health_v1.HealthCheckResponse_NOT_SERVING
	}
	m.server.SetServingStatus(name, status)
	m.system.metrics.dependencies.WithLabelValues(name).Set(up)
	if err == nil {
		return 0
	}
	return time.Since(since)
}

// peersReach reports whether a peer says that it can reach a dependency. A peer that does not
// answer, or of a version that cannot, does not say so.
func (m *monitor) peersReach(ctx context.Context, name string) bool {
	ctx, cancel := context.WithTimeout(ctx, checkInterval)
	defer cancel()
	peers := m.system.cluster.Peers()
	answers := make(chan bool, len(peers))
	for _, p := range peers {
		go func() {
			answer, err := grpc_health_v1.NewHealthClient(p.Connection()).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: name})
			answers <- err == nil && answer.GetStatus() == grpc_health_v1.HealthCheckResponse_SERVING
		}()
	}
	for range peers {
		if <-answers {
			return true
		}
	}
	return false
}

// pingStore returns an error if the store cannot be reached. A full store is not an error, because
// reads still work and writes are refused with a code of their own.
func (s *System) pingStore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	err := s.store.Ping(ctx)
	if errors.Is(err, persistence.ErrFull) {
		s.log.Warn("the storage is full; sales are refused", slog.Any("error", err))
		return nil
	}
	return err
}
