// Package persistencetest gives the contracts of package persistence their meaning:
// one suite for each, which every engine passes and which names no engine.
//
//	ExerciseStore(t, open)    trains, fencing, bookings, users, tokens, replies
//	ExerciseHolds(t, open)    holds
//	ExerciseLeases(t, open)   leases
//	ExerciseMembers(t, open)  heartbeats
//
// Every fact is a subtest on a store of its own, opened empty for it, and runs beside
// the others. Times are near the present, since an engine may purge by its own clock.
//
// A suite fails a test where an engine's behaviour contradicts the contract. What the
// contract leaves open it does not ask.
package persistencetest
