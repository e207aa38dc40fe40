package actors

import (
	"context"
	"errors"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// catalogueUpdate is a change of the catalogue: a train that was created or changed, or the
// last form of a train that was deleted.
type catalogueUpdate struct {
	Put     *booking.Train `json:",omitempty"`
	Deleted *booking.Train `json:",omitempty"`
}

// broadcast sends an update to the peers and returns when every member has it. The response
// to a change follows, so that a client that has seen the response finds the train through
// every process (DESIGN.md 5).
func (s *System) broadcast(ctx context.Context, u catalogueUpdate) error {
	if s.cluster == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return s.cluster.peers.broadcast(ctx, operationUpdate, u)
}

// broadcastDeletion broadcasts that a train was deleted, unless it was not in the catalogue
// (nil). A failure makes the outcome of the deletion unknown.
func (s *System) broadcastDeletion(ctx context.Context, train *booking.Train) error {
	if train == nil {
		return nil
	}
	if err := s.broadcast(ctx, catalogueUpdate{Deleted: train}); err != nil {
		return errors.Join(persistence.ErrUnknown, err)
	}
	return nil
}

// handleUpdate applies the update of a peer.
func (s *System) handleUpdate(_ context.Context, u catalogueUpdate) empty {
	if u.Put != nil {
		s.catalogue.putNewer(u.Put)
	}
	if u.Deleted != nil {
		if listed := s.catalogue.find(u.Deleted.ID); listed != nil && !listed.CreatedAt.After(u.Deleted.CreatedAt) {
			s.catalogue.remove(listed)
		}
	}
	return empty{}
}

// reconcile makes the catalogue equal to the store, which applies the updates that this
// process has missed.
func (s *System) reconcile(ctx context.Context) error {
	before := s.catalogue.begin()
	trains, err := s.store.ListTrains(ctx)
	if err != nil {
		return err
	}
	s.catalogue.reconcile(before, trains)
	return nil
}
