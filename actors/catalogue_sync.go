package actors

import (
	"context"
	"errors"

	"trainbooking.dev/actors/wire"
	"trainbooking.dev/booking"
	"trainbooking.dev/cluster"
	"trainbooking.dev/persistence"
)

// catalogueUpdate is a change of the catalogue: a train that was created or changed, or the
// last form of a train that was deleted. One of them is set.
type catalogueUpdate struct{ Put, Deleted *booking.Train }

// broadcast sends an update to the peers and returns when every member has it. The response
// to a change follows, so that a client that has seen the response finds the train through
// every process (DESIGN.md 5).
func (s *System) broadcast(ctx context.Context, u catalogueUpdate) error {
	q := &wire.UpdateCatalogueRequest{}
	if u.Put != nil {
		q.Update = &wire.UpdateCatalogueRequest_Put{Put: encodeTrain(u.Put)}
	} else {
		q.Update = &wire.UpdateCatalogueRequest_Deleted{Deleted: encodeTrain(u.Deleted)}
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return cluster.Broadcast(ctx, s.cluster, func(ctx context.Context, p *cluster.Peer) error {
		_, err := wire.NewTrainsClient(p.Connection()).UpdateCatalogue(ctx, q)
		return err
	})
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
