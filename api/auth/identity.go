package auth

import (
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Identity is who sent a request: a user, or a machine with a service token.
type Identity struct {
	User    uuid.UUID // zero for a machine
	Machine bool      // the role train-admin; no user, so forbidden where one is needed
}

// Identify says whose token it is. bearer is what follows "Bearer " in the
// Authorization header. The store is not asked: an access token is good until it
// ends. Error: unauthenticated.
func (a *Accounts) Identify(bearer string) (Identity, error) {
	if a.Services.Match(bearer) {
		return Identity{Machine: true}, nil
	}
	token, err := a.Tokens.read(bearer, kindAccess, time.Now())
	if err != nil {
		return Identity{}, err
	}
	return Identity{User: token.User}, nil
}

// Unauthenticated is the one answer to every request whose token is missing, forged,
// expired, revoked or of the wrong kind. It never says which.
func Unauthenticated() *booking.Error {
	return &booking.Error{
		Code:    booking.CodeUnauthenticated,
		Message: "A valid token is needed, log in",
	}
}
