package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

type registerRequest struct{ auth.Registration }

func (in *registerRequest) decode(d *decoder) {
	in.Username = d.string("username")
	in.Email = d.string("email")
	in.Password = d.string("password")
	in.Password2 = d.string("password2")
}

func (s *Server) register(ctx context.Context, c *call, in registerRequest) (response, error) {
	if _, err := s.accounts.Register(ctx, in.Registration, c.address); err != nil {
		return response{}, err
	}
	return created("", message{"User registered successfully"}), nil
}

type changePasswordRequest struct{ old, password, password2 string }

func (in *changePasswordRequest) decode(d *decoder) {
	in.old = d.string("old_password")
	in.password = d.string("password")
	in.password2 = d.string("password2")
}

func (s *Server) changePassword(ctx context.Context, c *call, in changePasswordRequest) (response, error) {
	err := s.accounts.ChangePassword(ctx, c.caller.User, in.old, in.password, in.password2, c.address)
	if err != nil {
		return response{}, err
	}
	return ok(message{"Password changed"}), nil
}

// userResponse is a user without the password hash, for admins and for the user.
type userResponse struct {
	ID        uuid.UUID `json:"id"`
	Username  string    `json:"username"`
	Email     string    `json:"email"`
	IsAdmin   bool      `json:"is_admin"`
	Disabled  bool      `json:"disabled"`
	CreatedAt time.Time `json:"created_at"`
	DeletedAt time.Time `json:"deleted_at,omitzero"`
}

func newUserResponse(u booking.User) userResponse {
	return userResponse{u.ID, u.Username, u.Email, u.IsAdmin, u.Disabled, u.CreatedAt.UTC(), u.DeletedAt.UTC()}
}

type listUsersRequest struct{ page pageRequest }

func (in *listUsersRequest) decode(d *decoder) { in.page = d.page(booking.ListUsers) }

func (s *Server) listUsers(ctx context.Context, _ *call, in listUsersRequest) (response, error) {
	users, err := s.users.ListUsers(ctx, in.page.PageRequest)
	if err != nil {
		return response{}, err
	}
	return list(ctx, s, in.page, users, newUserResponse)
}

// findMe returns the caller. Error: unauthenticated if the user is deleted.
func (s *Server) findMe(ctx context.Context, c *call, _ noFields) (response, error) {
	user, err := s.accounts.FindUser(ctx, c.caller.User)
	if err != nil {
		return response{}, err
	}
	return ok(newUserResponse(user)), nil
}

type findUserRequest struct{ id uuid.UUID }

func (in *findUserRequest) decode(d *decoder) { in.id = d.pathUUID("user") }

func (s *Server) findUser(ctx context.Context, _ *call, in findUserRequest) (response, error) {
	user, err := s.users.FindUser(ctx, in.id)
	if err != nil {
		return response{}, err
	}
	return ok(newUserResponse(user)), nil
}

type updateUserRequest struct {
	id       uuid.UUID
	disabled bool
}

func (in *updateUserRequest) decode(d *decoder) {
	in.id = d.pathUUID("user")
	d.required("disabled")
	in.disabled = d.bool("disabled", false)
}

func (s *Server) updateUser(ctx context.Context, _ *call, in updateUserRequest) (response, error) {
	user, err := s.users.SetDisabled(ctx, in.id, in.disabled)
	if err != nil {
		return response{}, err
	}
	return ok(newUserResponse(user)), nil
}

func (s *Server) deleteUser(ctx context.Context, _ *call, in findUserRequest) (response, error) {
	if err := s.users.DeleteUser(ctx, in.id, s.now().UTC().Truncate(time.Microsecond)); err != nil {
		return response{}, err
	}
	return noContent(), nil
}
