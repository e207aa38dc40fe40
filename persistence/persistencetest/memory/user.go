package memory

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// CreateUser implements booking.Users.
func (s *Store) CreateUser(ctx context.Context, user booking.User) error {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	var nameTaken, emailTaken bool
	name, email := persistence.UserKeys(&user)
	for _, other := range s.users {
		otherName, otherEmail := persistence.UserKeys(&other)
		nameTaken = nameTaken || otherName == name
		emailTaken = emailTaken || otherEmail == email
	}
	if err := persistence.UserExists(nameTaken, emailTaken); err != nil {
		return err
	}
	s.users[user.ID] = user
	return nil
}

// FindUser implements booking.Users.
func (s *Store) FindUser(ctx context.Context, id uuid.UUID) (booking.User, error) {
	return s.findUser(ctx, func(u booking.User) bool { return u.ID == id })
}

// FindUserByName implements booking.Users.
func (s *Store) FindUserByName(ctx context.Context, username string) (booking.User, error) {
	folded := booking.Fold(username)
	return s.findUser(ctx, func(u booking.User) bool { return u.DeletedAt.IsZero() && booking.Fold(u.Username) == folded })
}

func (s *Store) findUser(ctx context.Context, is func(booking.User) bool) (booking.User, error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return booking.User{}, err
	}
	for _, u := range s.users {
		if is(u) {
			return u, nil
		}
	}
	return booking.User{}, booking.NotFound("user")
}

// ListUsers implements booking.Users.
func (s *Store) ListUsers(ctx context.Context, request booking.PageRequest) (booking.Page[booking.User], error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return booking.Page[booking.User]{}, err
	}
	all := make([]booking.User, 0, len(s.users))
	for _, u := range s.users {
		if u.DeletedAt.IsZero() {
			all = append(all, u)
		}
	}
	return pageOf(all, request, func(u booking.User) booking.Cursor { return booking.Cursor{At: u.CreatedAt, ID: u.ID} }), nil
}

// SetPassword implements booking.Users.
func (s *Store) SetPassword(ctx context.Context, id uuid.UUID, old, hash string) error {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	user, found := s.users[id]
	if !found || user.PasswordHash != old {
		return booking.NotFound("user")
	}
	user.PasswordHash = hash
	s.users[id] = user
	s.revoke(func(t token) bool { return t.User == id })
	return nil
}

// SetDisabled implements booking.Users.
func (s *Store) SetDisabled(ctx context.Context, id uuid.UUID, disabled bool) (booking.User, error) {
	return s.changeUser(ctx, id, persistence.SetDisabled(disabled))
}

// DeleteUser implements booking.Users.
func (s *Store) DeleteUser(ctx context.Context, id uuid.UUID, at time.Time) error {
	_, err := s.changeUser(ctx, id, persistence.DeleteUser(at))
	return err
}

func (s *Store) changeUser(ctx context.Context, id uuid.UUID, change func(*booking.User) error) (booking.User, error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return booking.User{}, err
	}
	user, err := persistence.ChangeUser(slices.Collect(maps.Values(s.users)), id, change)
	if err != nil {
		return booking.User{}, err
	}
	s.users[id] = user
	if user.Disabled {
		s.revoke(func(t token) bool { return t.User == id })
	}
	return user, nil
}
