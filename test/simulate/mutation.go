package simulate

import (
	"time"

	"trainbooking.dev/persistence"
)

// Mutation is an intentional error in the protocol; "" is none.
type Mutation string

// The mutations of RELIABILITY.md 4.
const (
	NoEpochCheck      Mutation = "no epoch check in the sale"
	TokenFromRedis    Mutation = "the token comes from Redis INCR"
	EarlyExpiry       Mutation = "a hold ends early"
	LeaseByAnyone     Mutation = "a lease is released by anyone"
	HoldByAnyone      Mutation = "a hold is released by anyone"
	NewBookingID      Mutation = "a retry makes a new booking id"
	ResponseUnchecked Mutation = "the lease is not checked before a response"
	HoldUnfenced      Mutation = "a hold is written without the lease"
	HoldsForgotten    Mutation = "holds are not loaded"
	NothingIsUnknown  Mutation = "a call without a reply was not executed"
)

// Mutations lists every Mutation.
var Mutations = []Mutation{
	NoEpochCheck, TokenFromRedis, EarlyExpiry, LeaseByAnyone, HoldByAnyone, NewBookingID, ResponseUnchecked,
	HoldUnfenced, HoldsForgotten, NothingIsUnknown,
}

// early is how much too early EarlyExpiry ends a hold.
const early = 700 * time.Millisecond

// tokens are the state of TokenFromRedis: a counter in Redis, and the highest token of a write in
// Postgres.
type tokens struct{ counter, highest int64 }

// guardOf returns the guard of a write, or the current one if a mutation disables the check.
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
