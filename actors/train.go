package actors

import (
	"context"
	"errors"
	"time"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// CreateTrain implements booking.Service.
func (s *System) CreateTrain(ctx context.Context, train booking.Train) (booking.Train, error) {
	if train.ID == (booking.TrainID{}) {
		train.ID = booking.NewTrainID()
	}
	train, err := clean(train)
	if err != nil {
		return booking.Train{}, err
	}
	train.CreatedAt = time.Now().UTC().Truncate(time.Microsecond)
	train.UpdatedAt = train.CreatedAt
	err = s.store.CreateTrain(ctx, train)
	switch {
	case errors.Is(err, persistence.ErrExists):
		return booking.Train{}, &booking.Error{Code: booking.CodeAlreadyExists, Message: "A train with this id already exists"}
	case errors.Is(err, persistence.ErrUnknown):
		// If it was created, a retry must find it. If not, its first load removes it.
		s.catalogue.add(&train)
		return booking.Train{}, persistence.ClientError(err)
	case err != nil:
		return booking.Train{}, persistence.ClientError(err)
	}
	s.catalogue.put(&train)
	if err := s.broadcast(ctx, catalogueUpdate{Put: &train}); err != nil {
		return booking.Train{}, booking.Timeout(err)
	}
	return train, nil
}

// PutTrain implements booking.Service.
func (s *System) PutTrain(ctx context.Context, train booking.Train) (booking.Train, bool, error) {
	train, err := clean(train)
	if err != nil {
		return booking.Train{}, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	for lost := false; ; {
		put, wasLost, err := sendRequest[booking.Train](ctx, s, train.ID, activation.Change{To: train})
		lost = lost || wasLost
		if booking.CodeOf(err) != booking.CodeNotFound {
			return put, false, unknownIfLost(err, lost)
		}
		created, err := s.CreateTrain(ctx, train)
		if booking.CodeOf(err) != booking.CodeAlreadyExists {
			return created, err == nil, unknownIfLost(err, lost)
		}
		// Another request created it between the two calls: change it when it is listed.
		if err := pause(ctx, maxBackoff); err != nil {
			return booking.Train{}, false, booking.Timeout(err)
		}
	}
}

// DeleteTrain implements booking.Service.
func (s *System) DeleteTrain(ctx context.Context, id booking.TrainID, force bool) error {
	_, lost, err := sendRequest[empty](ctx, s, id, activation.Delete{Force: force})
	if lost && booking.CodeOf(err) == booking.CodeNotFound {
		return nil // an earlier attempt did it, and its response was lost
	}
	return err
}

func clean(train booking.Train) (booking.Train, error) {
	if !train.ID.Valid() {
		return booking.Train{}, booking.InvalidField("id", "must be a UUID whose last 16 bits are zero")
	}
	return train.Clean()
}
