package persistence

import (
	"time"

	"trainbooking.dev/booking"
)

// StoredToken is a refresh token as a store has it.
type StoredToken struct {
	booking.RefreshToken
	UsedAt    time.Time             // zero: not used
	Successor *booking.RefreshToken // nil: none, or used itself
	Disabled  bool                  // its user
}

// Rotation is what RotateRefreshToken does with a token.
type Rotation int

// The rotations.
const (
	Refuse       Rotation = iota
	RefuseFamily          // and revoke the family
	Rotate                // mark the token as used, and record the next
	Repeat                // return the successor again
)

// Rotation returns what to do with the token at now.
//
// A token is returned again within RefreshGrace by a client that lost the reply, or that refreshes in
// two tabs. If its successor has been used too, the client had that reply: two clients have the
// family, and another successor would be a second branch of it.
func (t *StoredToken) Rotation(now time.Time) Rotation {
	switch {
	case t.Disabled:
		return Refuse
	case !t.UsedAt.IsZero() && t.Successor != nil && now.Before(t.UsedAt.Add(booking.RefreshGrace)):
		return Repeat
	case !t.UsedAt.IsZero():
		return RefuseFamily
	case !now.Before(t.ExpiresAt):
		return Refuse
	}
	return Rotate
}
