package simulate

import (
	"trainbooking.dev/persistence"
)

// Mutation is an intentional error in the steps that the simulator executes for the machine; "" is
// none. test/mutants has those in the machine.
type Mutation string

// The mutations.
const (
	NoEpochCheck     Mutation = "no epoch check in the sale"
	TokenFromRedis   Mutation = "the token comes from Redis INCR"
	LeaseByAnyone    Mutation = "a lease is released by anyone"
	HoldUnfenced     Mutation = "a hold is written without the lease"
	HoldsForgotten   Mutation = "holds are not loaded"
	NothingIsUnknown Mutation = "a call without a reply was not executed"
)

// Mutations lists every Mutation.
var Mutations = []Mutation{NoEpochCheck, TokenFromRedis, LeaseByAnyone, HoldUnfenced, HoldsForgotten, NothingIsUnknown}

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
