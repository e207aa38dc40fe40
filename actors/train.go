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
	if err := train.CheckNames(nil); err != nil {
		return booking.Train{}, err
	}
	if s.catalogue.findComputed(train.ID) != nil {
		return booking.Train{}, trainExists()
	}
	train.CreatedAt = time.Now().UTC().Truncate(time.Microsecond)
	train.UpdatedAt, train.Follows = train.CreatedAt, s.catalogue.follows(train.ID)
	err = s.store.CreateTrain(ctx, train)
	switch {
	case errors.Is(err, persistence.ErrExists):
		return booking.Train{}, trainExists()
	case err != nil:
		s.refreshes.begin() // it may be created
		return booking.Train{}, persistence.ClientError(err)
	}
	return train, timeoutOf(s.announce(ctx))
}

func trainExists() error {
	return &booking.Error{Code: booking.CodeAlreadyExists, Message: "A train with this id already exists"}
}

// PutTrain implements booking.Service.
func (s *System) PutTrain(ctx context.Context, train booking.Train) (booking.Train, bool, error) {
	train, err := clean(train)
	if err != nil {
		return booking.Train{}, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	lost, exists := false, s.catalogue.find(train.ID, time.Now()) != nil
	for {
		if !exists {
			created, err := s.CreateTrain(ctx, train)
			if booking.CodeOf(err) != booking.CodeAlreadyExists {
				return created, err == nil, unknownIfLost(err, lost)
			}
		}
		put, wasLost, err := sendRequest[booking.Train](ctx, s, train.ID, activation.Change{To: train})
		lost = lost || wasLost
		switch {
		case err == nil && wasLost: // an earlier attempt did it, and did not announce it
			err = s.announce(ctx)
			return put, false, timeoutOf(err)
		case booking.CodeOf(err) != booking.CodeNotFound:
			return put, false, unknownIfLost(err, lost)
		}
		exists = false // it was deleted meanwhile
	}
}

// DeleteTrain implements booking.Service.
func (s *System) DeleteTrain(ctx context.Context, id booking.TrainID, force bool) error {
	_, lost, err := sendRequest[empty](ctx, s, id, activation.Delete{Force: force, Cancels: isDeparture(id)})
	if lost && booking.CodeOf(err) == booking.CodeNotFound { // an earlier attempt did it
		return timeoutOf(s.announce(ctx))
	}
	return err
}

// isDeparture reports whether an id may be that of a departure.
func isDeparture(id booking.TrainID) bool {
	_, _, ok := id.Schedule()
	return ok
}

// timeoutOf returns the error of a change that some members may not have yet.
func timeoutOf(err error) error {
	if err != nil {
		return booking.Timeout(err)
	}
	return nil
}

func clean(train booking.Train) (booking.Train, error) {
	if !train.ID.Valid() {
		return booking.Train{}, booking.InvalidField("id", "must be a UUID whose last 16 bits are zero")
	}
	return train.Clean()
}
