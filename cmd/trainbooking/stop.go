package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"trainbooking.dev/actors"
)

const (
	// leaveTime bounds the handing over of all trains to the peers. What is not handed
	// over by then they take when its lease ends.
	leaveTime = 15 * time.Second
	// flushTime bounds what the trains have yet to store once no request is left.
	flushTime = 8 * time.Second
	// abandonTime bounds the end of a process that owns nothing any more: its peers
	// serve already, and it is to be started again.
	abandonTime = 2 * time.Second
)

// run waits until ctx is done or something fails, and ends what is open:
//
//	draining ▸ delay ▸ leave the cluster ▸ requests finish ▸ trains finish ▸ stores close
//
// From the leaving on, the peers answer what is asked here.
func (s *service) run(ctx context.Context) error {
	var failed error
	select {
	case <-ctx.Done():
		failed = s.drain()
	case failed = <-s.failed:
	case failed = <-s.trains.Failed():
	}
	if errors.Is(failed, actors.ErrEvicted) {
		return s.abandon(failed)
	}
	return errors.Join(failed, s.close())
}

// drain says on /readyz that the process ends, and serves on for as long as a balancer
// needs to hear of it.
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

// close closes what is open, the last first, so that each part still has what it stands
// on.
func (s *service) close() error {
	var errs []error
	for _, closer := range slices.Backward(s.closers) {
		errs = append(errs, closer())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// abandon ends a process that its peers have taken off. The requests in flight get
// their answers, as far as there is time.
func (s *service) abandon(failed error) error {
	s.abandoned.Store(true)
	closed := make(chan error, 1)
	go func() { closed <- s.close() }()
	select {
	case err := <-closed:
		return errors.Join(failed, err)
	case <-time.After(abandonTime):
		return failed
	}
}

// leave hands the trains over to the peers. If it fails nothing is lost but time.
func (s *service) leave() {
	if s.abandoned.Load() || !s.config.Clustered() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	if err := s.trains.Leave(ctx); err != nil {
		s.log.Warn("not every train was handed over: the peers take those when their leases end", "error", err)
	}
}

// stopTrains comes after leave, whether that was called already or not.
func (s *service) stopTrains() error {
	s.leaving()
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	if err := s.trains.Stop(ctx); err != nil {
		return fmt.Errorf("trains were not stored after %s: %w", flushTime, err)
	}
	return nil
}

func (s *service) onClose(closer func() error) { s.closers = append(s.closers, closer) }
