package memory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

type replyKey struct {
	user uuid.UUID
	key  string
}

// FindReply implements booking.Replies.
func (s *Store) FindReply(ctx context.Context, user uuid.UUID, key string, now time.Time) (booking.Reply, error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return booking.Reply{}, err
	}
	reply, found := s.replies[replyKey{user, key}]
	if !found || !now.Before(reply.ExpiresAt) {
		return booking.Reply{}, booking.NotFound("reply")
	}
	return reply, nil
}

// SaveReply implements booking.Replies.
func (s *Store) SaveReply(ctx context.Context, user uuid.UUID, key string, reply booking.Reply, now time.Time) error {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	for k, r := range s.replies {
		if !now.Before(r.ExpiresAt) {
			delete(s.replies, k)
		}
	}
	if _, kept := s.replies[replyKey{user, key}]; !kept {
		s.replies[replyKey{user, key}] = reply
	}
	return nil
}
