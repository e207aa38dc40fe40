// Package persistencetest has a conformance suite for each interface of package
// persistence, and for booking.Attempts. Every engine passes them.
//
//	ExerciseStore(t, open)    trains, fencing, bookings, users, tokens, replies
//	ExerciseHolds(t, open)    holds
//	ExerciseLeases(t, open)   leases
//	ExerciseMembers(t, open)  members and their heartbeats
//	ExerciseAttempts(t, open) attempts that are limited
//
// Every fact is a parallel subtest with its own empty store. Times are near the present,
// since an engine may purge by its own clock. A suite tests only what the interface
// documents.
package persistencetest
