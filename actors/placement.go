package actors

import (
	"context"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
	"trainbooking.dev/cluster"
)

// maxHandoffs is how many trains are handed off at a time (DESIGN.md 5).
const maxHandoffs = maxBatch

// proposedHere reports whether the train is proposed to this process.
func (s *System) proposedHere(id booking.TrainID) bool { return s.cluster.Owns(cluster.Key(id)) }

// proposedOwner returns the address of the process that the train is proposed to, or "".
func (s *System) proposedOwner(id booking.TrainID) string {
	return s.cluster.ProposedOwner(cluster.Key(id))
}

// events returns what this System does when its cluster changes.
func (s *System) events() cluster.Events {
	return cluster.Events{
		Changed: func() {
			s.members.notify()
			s.placements.Add(1)
			s.queries.forget()
			select {
			case s.rebalances <- struct{}{}:
			default: // one is queued already
			}
		},
		Recovered: s.activations.recovered,
		Evicted:   func() { s.fail(cluster.ErrEvicted) },
		Lease:     func(e cluster.LeaseEvent) { s.metrics.leases.WithLabelValues(string(e)).Inc() },
	}
}

// rebalance hands off trains when the members change, until ctx ends.
func (s *System) rebalance(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.rebalances:
			if err := s.handOff(ctx); err != nil {
				return
			}
		}
	}
}

// handOff halts the activations of trains that are proposed to another process, up to
// maxHandoffs at a time. Each completes the writes in flight and releases its lease.
func (s *System) handOff(ctx context.Context) error {
	slots := make(chan struct{}, maxHandoffs)
	for _, a := range s.activations.all() {
		if s.proposedHere(a.id) {
			continue
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		s.actors.Root.Send(a.pid, activation.Stop{})
		s.background.Go(func() {
			<-a.closed
			<-slots
		})
	}
	for range cap(slots) {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
