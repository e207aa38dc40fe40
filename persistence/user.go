package persistence

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// UserKeys returns the folded name and email of a user, which are unique. Those of a deleted user
// contain a control character, so that they are equal to none that can be registered.
func UserKeys(u *booking.User) (username, email string) {
	if !u.DeletedAt.IsZero() {
		key := "\x7f" + u.ID.String()
		return key, key
	}
	return booking.Fold(u.Username), booking.Fold(u.Email)
}

// SetDisabled returns the change of booking.Users.SetDisabled, for ChangeUser.
func SetDisabled(disabled bool) func(*booking.User) error {
	return func(u *booking.User) error {
		if !u.DeletedAt.IsZero() {
			return booking.NotFound("user")
		}
		u.Disabled = disabled
		return nil
	}
}

// DeleteUser returns the change of booking.Users.DeleteUser, for ChangeUser.
func DeleteUser(at time.Time) func(*booking.User) error {
	return func(u *booking.User) error {
		if u.DeletedAt.IsZero() {
			*u = booking.User{ID: u.ID, Disabled: true, CreatedAt: u.CreatedAt, DeletedAt: at}
		}
		return nil
	}
}

// ChangeUser returns the changed user with an id. locked has that user and every enabled admin;
// nobody may change them until the result is stored. Errors: not_found; last_admin if the change
// leaves no enabled admin; those of change.
func ChangeUser(
	locked []booking.User, id uuid.UUID, change func(*booking.User) error,
) (booking.User, error) {
	i := slices.IndexFunc(locked, func(u booking.User) bool { return u.ID == id })
	if i < 0 {
		return booking.User{}, booking.NotFound("user")
	}
	user := locked[i]
	if err := change(&user); err != nil {
		return booking.User{}, err
	}
	isOther := func(u booking.User) bool { return u.ID != id && u.EnabledAdmin() }
	if locked[i].EnabledAdmin() && !user.EnabledAdmin() && !slices.ContainsFunc(locked, isOther) {
		return booking.User{}, &booking.Error{
			Code: booking.CodeLastAdmin, Message: "This is the last admin who is not disabled",
		}
	}
	return user, nil
}
