package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// CreateTrain implements persistence.Trains. A restored train has no owner, so that the
// activation that deleted it is fenced.
func (s *Store) CreateTrain(ctx context.Context, definition booking.Train) error {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	if t := s.trains[definition.ID]; t != nil && !t.deleted {
		return persistence.ErrExists
	}
	if err := s.joinSchedule(&definition); err != nil {
		return err
	}
	s.revision++
	s.uncancel(definition.ID)
	s.put(definition)
	return nil
}

// put gives a train that is deleted or not stored a definition at the present revision, and no owner.
func (s *Store) put(definition booking.Train) *train {
	t := s.trains[definition.ID]
	if t == nil {
		t = &train{
			seats: map[int]booking.Legs{}, cancelled: map[uuid.UUID][]*booking.Booking{}, former: map[uuid.UUID]*booking.Train{},
		}
		s.trains[definition.ID] = t
	}
	t.Train, t.deleted, t.owner, t.revision = definition, false, uuid.UUID{}, s.revision
	return t
}

// Revision implements persistence.Catalogue.
func (s *Store) Revision(ctx context.Context) (int64, error) {
	end, err := s.begin(ctx)
	defer end()
	return s.revision, err
}

// ListTrains implements persistence.Catalogue.
func (s *Store) ListTrains(ctx context.Context, after, upTo booking.Cursor) (trains []booking.Train, err error) {
	end, err := s.begin(ctx)
	defer end()
	for _, t := range s.trains {
		if at := retirementOf(&t.Train); !t.deleted && at.Compare(after) > 0 && at.Compare(upTo) <= 0 {
			trains = append(trains, t.Train)
		}
	}
	return trains, err
}

// PageEnd implements persistence.Catalogue.
func (s *Store) PageEnd(ctx context.Context, after booking.Cursor, size int) (booking.Cursor, error) {
	trains, err := s.ListTrains(ctx, after, persistence.LastPosition)
	if len(trains) < size {
		return persistence.LastPosition, err
	}
	slices.SortFunc(trains, func(a, b booking.Train) int { return retirementOf(&a).Compare(retirementOf(&b)) })
	return retirementOf(&trains[size-1]), nil
}

func retirementOf(t *booking.Train) booking.Cursor {
	return booking.Cursor{At: persistence.EncodeRetirement(t), ID: uuid.UUID(t.ID)}
}

// ChangedTrains implements persistence.Catalogue.
func (s *Store) ChangedTrains(ctx context.Context, after int64, limit int) (changed []persistence.ChangedTrain, err error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return nil, err
	}
	for _, t := range s.trains {
		if t.revision > after {
			changed = append(changed, persistence.ChangedTrain{Train: t.Train, Revision: t.revision, Deleted: t.deleted})
		}
	}
	slices.SortFunc(changed, func(a, b persistence.ChangedTrain) int { return cmp.Compare(a.Revision, b.Revision) })
	return changed[:min(limit, len(changed))], nil
}

// FindTrains implements persistence.Catalogue.
func (s *Store) FindTrains(ctx context.Context, ids []booking.TrainID) (found []booking.Train, err error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if t, err := s.live(id); err == nil {
			found = append(found, t.Train)
		}
	}
	return found, nil
}

// changed gives the train the next revision.
func (s *Store) changed(t *train) {
	s.revision++
	t.revision = s.revision
}

// Epochs implements persistence.Trains.
func (s *Store) Epochs(ctx context.Context, trains []booking.TrainID) ([]persistence.Result[int64], error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return nil, err
	}
	epochs := make([]persistence.Result[int64], len(trains))
	for i, id := range trains {
		_, epochs[i].Err = s.live(id)
		if t := s.trains[id]; t != nil {
			epochs[i].Value = t.epoch
		}
	}
	return epochs, nil
}

// Owner returns the current activation of a train.
func (s *Store) Owner(id booking.TrainID) persistence.Guard {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.trains[id]; t != nil {
		return persistence.Guard{Train: id, Epoch: t.epoch, Owner: t.owner}
	}
	return persistence.Guard{Train: id}
}

// Adopt implements persistence.Trains.
func (s *Store) Adopt(ctx context.Context, activations []persistence.Adoption) ([]error, error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return nil, err
	}
	results := make([]error, len(activations))
	for i, a := range activations {
		results[i] = s.adopt(a)
	}
	return results, nil
}

func (s *Store) adopt(a persistence.Adoption) error {
	t := s.trains[a.Train]
	var epoch int64
	if t != nil {
		epoch = t.epoch
	}
	live := t != nil && !t.deleted
	switch {
	case !live && a.Departure == nil:
		return persistence.ErrNotFound
	case epoch+1 != a.Epoch:
		return persistence.ErrFenced
	case !live:
		definition := a.Departure.Train
		if of, _ := s.scheduleOf(definition.ID); of == nil || of.Revision != a.Departure.Revision {
			return persistence.ErrStale
		}
		if t != nil {
			definition.CreatedAt = a.Departure.Restored
		}
		s.revision++
		t = s.put(definition)
	}
	t.epoch, t.owner = a.Epoch, a.Owner
	return nil
}

// LoadTrains implements persistence.Trains. The bookings of a train are in the order of their
// writes, and the cancelled ids in that of became.
func (s *Store) LoadTrains(
	ctx context.Context, trains []booking.TrainID, became []uuid.UUID,
) ([]persistence.Result[persistence.LoadedTrain], error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return nil, err
	}
	loaded := make([]persistence.Result[persistence.LoadedTrain], len(trains))
	for i, id := range trains {
		loaded[i].Value, loaded[i].Err = s.load(id, became)
	}
	return loaded, nil
}

func (s *Store) load(id booking.TrainID, became []uuid.UUID) (loaded persistence.LoadedTrain, err error) {
	t, err := s.live(id)
	if err != nil {
		return loaded, err
	}
	loaded.Train, loaded.Seats = t.Train, t.booked()
	for _, b := range t.sold {
		loaded.Bookings = append(loaded.Bookings, *b)
	}
	for _, bid := range became {
		if b := s.bookings[bid]; b != nil && b.Train == id && !b.CancelledAt.IsZero() {
			loaded.Cancelled = append(loaded.Cancelled, bid)
		}
	}
	return loaded, nil
}

// ChangeTrain implements persistence.Trains.
func (s *Store) ChangeTrain(ctx context.Context, guard persistence.Guard, to booking.Train) error {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	t, err := s.guarded(guard)
	if err != nil {
		return err
	}
	for n, legs := range t.seats {
		if n > to.Capacity && legs != 0 {
			return persistence.ErrConflict
		}
	}
	t.Name, t.Capacity, t.Stops, t.OnSale, t.SalesOpenAt = to.Name, to.Capacity, to.Stops, to.OnSale, to.SalesOpenAt
	t.UpdatedAt, t.Follows = to.UpdatedAt, to.Follows
	s.changed(t)
	return nil
}

// DeleteTrain implements persistence.Trains.
func (s *Store) DeleteTrain(ctx context.Context, guard persistence.Guard, deletion persistence.Deletion) error {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	t, err := s.guarded(guard)
	if err != nil {
		return err
	}
	if !deletion.Force && len(t.sold) > 0 {
		return persistence.ErrConflict
	}
	for _, b := range slices.Clone(t.sold) {
		t.cancel(b, deletion.At, booking.ByTrain)
	}
	t.deleted, t.seats = true, map[int]booking.Legs{}
	s.changed(t)
	if deletion.Cancels {
		s.cancelDeparture(t.ID)
	}
	return nil
}

// live returns a train that is not deleted. Error: ErrNotFound.
func (s *Store) live(id booking.TrainID) (*train, error) {
	t := s.trains[id]
	if t == nil || t.deleted {
		return nil, persistence.ErrNotFound
	}
	return t, nil
}

// guarded returns the train of a guard if its activation is current. Errors: ErrFenced,
// ErrNotFound.
func (s *Store) guarded(guard persistence.Guard) (*train, error) {
	t := s.trains[guard.Train]
	switch {
	case t == nil:
		return nil, persistence.ErrNotFound
	case t.owner == uuid.UUID{} || t.owner != guard.Owner || t.epoch != guard.Epoch:
		return nil, persistence.ErrFenced
	case t.deleted:
		return nil, persistence.ErrNotFound
	}
	return t, nil
}
