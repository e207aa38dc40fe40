package simulate

import (
	"time"

	"trainbooking.dev/persistence"
)

// Mutation is a way in which the protocol is broken on purpose; "" is none.
type Mutation string

// The mutations of RELIABILITY.md 4. Release by anyone is two: of a lease, and of a hold.
const (
	NoEpochCheck    Mutation = "no epoch check in the sale"
	TokenFromRedis  Mutation = "the token comes from Redis INCR"
	EarlyExpiry     Mutation = "a hold ends early"
	LeaseByAnyone   Mutation = "a lease is released by anyone"
	HoldByAnyone    Mutation = "a hold is released by anyone"
	NewBookingID    Mutation = "a retry makes a new booking id"
	ReplyUnchecked  Mutation = "the lease is not looked at before a reply"
	HoldUnfenced    Mutation = "a hold is written whoever has the lease"
	HoldsForgotten  Mutation = "holds are not loaded"
	NothingIsUnsure Mutation = "a call without an answer was not executed"
)

// Mutations are all of them.
var Mutations = []Mutation{
	NoEpochCheck, TokenFromRedis, EarlyExpiry, LeaseByAnyone, HoldByAnyone, NewBookingID, ReplyUnchecked,
	HoldUnfenced, HoldsForgotten, NothingIsUnsure,
}

// early is by how much EarlyExpiry ends a hold too early.
const early = 700 * time.Millisecond

// tokens are what TokenFromRedis fences by: a counter in Redis, and the highest token that
// Postgres has seen.
type tokens struct{ counter, highest int64 }

// guardOf returns the guard by which Postgres judges a write: the one that it comes with,
// or one that is always current where nothing is checked.
func (w *world) guardOf(g persistence.Guard) (persistence.Guard, error) {
	switch w.mutation {
	case NoEpochCheck:
		return w.store.Owner(g.Train), nil
	case TokenFromRedis:
		if g.Epoch < w.token.highest {
			return g, persistence.ErrFenced
		}
		w.token.highest = g.Epoch
		return w.store.Owner(g.Train), nil
	}
	return g, nil
}
