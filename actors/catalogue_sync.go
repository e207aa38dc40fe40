package actors

import (
	"context"
	"errors"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// news is a change of the catalogue: a train that was put, or the last form of one that
// is deleted.
type news struct {
	Put     *booking.Train `json:",omitempty"`
	Removed *booking.Train `json:",omitempty"`
}

// announce returns when every peer that is not gone knows the news. A change is answered
// after that, so that whoever saw the answer finds the train everywhere (DESIGN.md 5).
func (s *System) announce(ctx context.Context, n news) error {
	if s.cluster == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return s.cluster.peers.tellAll(ctx, operationNews, n)
}

// announceRemoval is announce for a train that is deleted; one that was not listed is no
// news. That a peer does not know it is as good as unknown: asked again, the train is
// gone.
func (s *System) announceRemoval(ctx context.Context, train *booking.Train) error {
	if train == nil {
		return nil
	}
	if err := s.announce(ctx, news{Removed: train}); err != nil {
		return errors.Join(persistence.ErrUnknown, err)
	}
	return nil
}

// answerNews takes over what a peer has changed.
func (s *System) answerNews(_ context.Context, n news) nothing {
	if n.Put != nil {
		s.catalogue.putNewer(n.Put)
	}
	if n.Removed != nil {
		if listed := s.catalogue.find(n.Removed.ID); listed != nil && !listed.CreatedAt.After(n.Removed.CreatedAt) {
			s.catalogue.remove(listed)
		}
	}
	return nothing{}
}

// reconcile makes the catalogue what is stored, which repairs what no peer told.
func (s *System) reconcile(ctx context.Context) error {
	before := s.catalogue.begin()
	trains, err := s.store.ListTrains(ctx)
	if err != nil {
		return err
	}
	s.catalogue.reconcile(before, trains)
	return nil
}
