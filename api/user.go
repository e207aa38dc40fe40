package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

type registerRequest struct{ auth.Registration }

func (in *registerRequest) read(f *form) {
	in.Username = f.raw("username")
	in.Email = f.raw("email")
	in.Password = f.raw("password")
	in.Password2 = f.raw("password2")
}

func (s *Server) register(ctx context.Context, _ *call, in registerRequest) (answer, error) {
	if _, err := s.accounts.Register(ctx, in.Registration); err != nil {
		return answer{}, err
	}
	return created("", message{"User registered successfully"}), nil
}

type loginRequest struct{ username, password string }

func (in *loginRequest) read(f *form) {
	in.username = f.raw("username")
	in.password = f.raw("password")
}

type tokenPair struct {
	Refresh string `json:"refresh"`
	Access  string `json:"access"`
}

func (s *Server) login(ctx context.Context, c *call, in loginRequest) (answer, error) {
	pair, err := s.accounts.Login(ctx, in.username, in.password, c.address)
	if err != nil {
		return answer{}, err
	}
	return ok(struct {
		Token   tokenPair `json:"token"`
		Message string    `json:"msg"`
	}{tokenPair{pair.Refresh, pair.Access}, "Login successful"}), nil
}

type refreshRequest struct{ refresh string }

func (in *refreshRequest) read(f *form) { in.refresh = f.raw("refresh") }

func (s *Server) refresh(ctx context.Context, _ *call, in refreshRequest) (answer, error) {
	pair, err := s.accounts.Refresh(ctx, in.refresh)
	if err != nil {
		return answer{}, err
	}
	return ok(tokenPair{pair.Refresh, pair.Access}), nil
}

func (s *Server) logout(ctx context.Context, c *call, in refreshRequest) (answer, error) {
	if err := s.accounts.Logout(ctx, c.caller.User, in.refresh); err != nil {
		return answer{}, err
	}
	return ok(message{"Logged out"}), nil
}

type changePasswordRequest struct{ old, password, password2 string }

func (in *changePasswordRequest) read(f *form) {
	in.old = f.raw("old_password")
	in.password = f.raw("password")
	in.password2 = f.raw("password2")
}

func (s *Server) changePassword(ctx context.Context, c *call, in changePasswordRequest) (answer, error) {
	err := s.accounts.ChangePassword(ctx, c.caller.User, in.old, in.password, in.password2, c.address)
	if err != nil {
		return answer{}, err
	}
	return ok(message{"Password changed"}), nil
}

// userAnswer is a user as admins see one: never with the hash.
type userAnswer struct {
	ID        uuid.UUID `json:"id"`
	Username  string    `json:"username"`
	Email     string    `json:"email"`
	IsAdmin   bool      `json:"is_admin"`
	CreatedAt time.Time `json:"created_at"`
}

func userAnswerOf(u booking.User) userAnswer {
	return userAnswer{u.ID, u.Username, u.Email, u.IsAdmin, u.CreatedAt.UTC()}
}

type listUsersRequest struct{ page booking.PageRequest }

func (in *listUsersRequest) read(f *form) { in.page = f.page() }

func (s *Server) listUsers(ctx context.Context, _ *call, in listUsersRequest) (answer, error) {
	users, err := s.users.ListUsers(ctx, in.page)
	if err != nil {
		return answer{}, err
	}
	return ok(listOf(users, userAnswerOf)), nil
}

type findUserRequest struct{ id uuid.UUID }

func (in *findUserRequest) read(f *form) { in.id = f.pathUUID("user") }

func (s *Server) findUser(ctx context.Context, _ *call, in findUserRequest) (answer, error) {
	user, err := s.users.FindUser(ctx, in.id)
	if err != nil {
		return answer{}, err
	}
	return ok(userAnswerOf(user)), nil
}
