package memory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// token is a refresh token, which may be used already.
type token struct {
	booking.RefreshToken
	used bool
}

// SaveRefreshToken implements booking.Users.
func (s *Store) SaveRefreshToken(ctx context.Context, t booking.RefreshToken) error {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	s.tokens[t.ID] = token{RefreshToken: t}
	return nil
}

// RotateRefreshToken implements booking.Users.
func (s *Store) RotateRefreshToken(ctx context.Context, used uuid.UUID, next booking.RefreshToken, now time.Time) error {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	old, found := s.tokens[used]
	if found && old.used {
		s.revoke(func(t token) bool { return t.User == old.User && t.Family == old.Family })
	}
	if !found || old.used || s.users[old.User].Disabled || !now.Before(old.ExpiresAt) {
		return persistence.TokenRefused()
	}
	old.used = true
	s.tokens[used] = old
	next.User, next.Family = old.User, old.Family
	s.tokens[next.ID] = token{RefreshToken: next}
	return nil
}

// RevokeFamily implements booking.Users.
func (s *Store) RevokeFamily(ctx context.Context, user, family uuid.UUID) error {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	s.revoke(func(t token) bool { return t.User == user && t.Family == family })
	return nil
}

func (s *Store) revoke(which func(token) bool) {
	for id, t := range s.tokens {
		if which(t) {
			delete(s.tokens, id)
		}
	}
}
