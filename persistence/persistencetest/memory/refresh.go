package memory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// token is a refresh token, with the time at which it was used and its successor.
type token struct {
	booking.RefreshToken
	usedAt    time.Time
	successor uuid.UUID
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
func (s *Store) RotateRefreshToken(
	ctx context.Context, used uuid.UUID, next booking.RefreshToken,
) (booking.RefreshToken, error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return booking.RefreshToken{}, err
	}
	old, found := s.tokens[used]
	if !found {
		return booking.RefreshToken{}, persistence.TokenRefused()
	}
	stored := persistence.StoredToken{
		RefreshToken: old.RefreshToken, UsedAt: old.usedAt, Disabled: s.users[old.User].Disabled,
	}
	if successor, found := s.tokens[old.successor]; found && successor.usedAt.IsZero() {
		stored.Successor = &successor.RefreshToken
	}
	switch stored.Rotation(next.IssuedAt) {
	case persistence.Rotate:
		old.usedAt, old.successor = next.IssuedAt, next.ID
		s.tokens[used] = old
		next.User, next.Family = old.User, old.Family
		s.tokens[next.ID] = token{RefreshToken: next}
		return next, nil
	case persistence.Repeat:
		return *stored.Successor, nil
	case persistence.RefuseFamily:
		s.revoke(func(t token) bool { return t.User == old.User && t.Family == old.Family })
	}
	return booking.RefreshToken{}, persistence.TokenRefused()
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
