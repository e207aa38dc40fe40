package auth

import (
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Identity is the caller of a request: a user, or a machine with a service token.
type Identity struct {
	User    uuid.UUID // zero for a machine
	Machine bool      // has the role train-admin
}

// Identify returns the identity of a token, the part of the Authorization header after
// "Bearer ". It does not read the store, because an access token is valid until it
// expires. Error: unauthenticated.
func (a *Accounts) Identify(bearer string) (Identity, error) {
	now := time.Now()
	if token, found := a.Tokens.remembered(bearer, now); found {
		return Identity{User: token.User}, nil
	}
	if a.Services.Match(bearer) {
		return Identity{Machine: true}, nil
	}
	token, err := a.Tokens.parse(bearer, kindAccess, now)
	if err != nil {
		return Identity{}, err
	}
	return Identity{User: token.User}, nil
}

// Unauthenticated returns the error for a token that is missing, forged, expired, revoked
// or of the wrong kind. The error does not reveal which.
func Unauthenticated() *booking.Error {
	return &booking.Error{
		Code:    booking.CodeUnauthenticated,
		Message: "A valid token is needed, log in",
	}
}
