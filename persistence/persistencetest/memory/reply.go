package memory

import (
	"context"
	"maps"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

type replyKey struct {
	user uuid.UUID
	key  string
}

// ReserveKey implements booking.Replies.
func (s *Store) ReserveKey(
	ctx context.Context, user uuid.UUID, key string, wanted booking.Reservation, now time.Time,
) (booking.Reservation, error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return booking.Reservation{}, err
	}
	maps.DeleteFunc(s.replies, func(_ replyKey, r booking.Reservation) bool { return !now.Before(r.ExpiresAt) })
	stored, found := s.replies[replyKey{user, key}]
	if found {
		if stored.Reply != nil || stored.RequestHash != wanted.RequestHash || now.Before(stored.Until) {
			return stored, nil
		}
		wanted.ExpiresAt = stored.ExpiresAt
	}
	s.replies[replyKey{user, key}] = wanted
	return wanted, nil
}

// ReleaseKey implements booking.Replies.
func (s *Store) ReleaseKey(
	ctx context.Context, user uuid.UUID, key string, attempt uuid.UUID, reply *booking.Reply,
) error {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	if stored := s.replies[replyKey{user, key}]; stored.ID == attempt {
		stored.ID, stored.Until, stored.Reply = uuid.UUID{}, time.Time{}, reply
		s.replies[replyKey{user, key}] = stored
	}
	return nil
}
