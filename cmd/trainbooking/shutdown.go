package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"trainbooking.dev/cluster"
)

const (
	// leaveTimeout limits the handoff of all trains to the peers. They take over the
	// remaining trains when their leases expire.
	leaveTimeout = 15 * time.Second
	// flushTimeout limits the last writes of the trains, after the last request.
	flushTimeout = 8 * time.Second
	// evictedTimeout limits the shutdown of an evicted process. It owns no trains, so it
	// should restart soon.
	evictedTimeout = 2 * time.Second
)

// run waits until ctx is cancelled or something fails, and then shuts down:
//
//	draining ▸ delay ▸ leave the cluster ▸ finish requests ▸ stop trains ▸ close stores
//
// After this process has left the cluster, it forwards requests to its peers.
func (s *service) run(ctx context.Context) error {
	var failed error
	select {
	case <-ctx.Done():
		failed = s.drain()
	case failed = <-s.failed:
	case failed = <-s.trains.Failed():
	}
	if errors.Is(failed, cluster.ErrEvicted) {
		return s.closeEvicted(failed)
	}
	return errors.Join(failed, s.close())
}

// drain makes /readyz return 503 and continues to serve for --shutdown-delay, so that load
// balancers stop sending requests.
func (s *service) drain() error {
	s.log.Info("stopping", "delay", s.config.ShutdownDelay)
	s.server.SetDraining()
	delay := time.NewTimer(s.config.ShutdownDelay)
	defer delay.Stop()
	select {
	case <-delay.C:
		return nil
	case failed := <-s.failed:
		return failed
	case failed := <-s.trains.Failed():
		return failed
	}
}

// close closes all open parts in reverse order, so that each part can still use those that
// were opened before it.
func (s *service) close() error {
	var errs []error
	for _, closer := range slices.Backward(s.closers) {
		errs = append(errs, closer())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// closeEvicted shuts down a process that its peers have evicted. Requests in flight have
// evictedTimeout to finish.
func (s *service) closeEvicted(failed error) error {
	s.evicted.Store(true)
	closed := make(chan error, 1)
	go func() { closed <- s.close() }()
	select {
	case err := <-closed:
		return errors.Join(failed, err)
	case <-time.After(evictedTimeout):
		return failed
	}
}

// leave hands the trains over to the peers. If it fails, they take over the trains later.
func (s *service) leave() {
	if s.evicted.Load() || !s.config.Clustered() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	if err := s.trains.Leave(ctx); err != nil {
		s.log.Warn("some trains were not handed off; other processes serve them when their leases expire", "error", err)
	}
}

// stopTrains leaves the cluster, unless the process already has, and stops the trains.
func (s *service) stopTrains() error {
	s.leaveOnce()
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := s.trains.Stop(ctx); err != nil {
		return fmt.Errorf("the trains did not finish their writes within %s: %w", flushTimeout, err)
	}
	return nil
}

func (s *service) onClose(closer func() error) { s.closers = append(s.closers, closer) }
