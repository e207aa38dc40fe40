// Package memory is what the stores of a cluster are, in the memory of one process: Store
// in the place of Postgres, Shared in the place of Redis. Tests and simulations run on it
// where real servers cannot follow: on a clock of their own, or without goroutines.
//
//	Store             persistence.Store
//	Shared.At(there)  persistence.Holds, Leases and Members, as the process there sees them
//
// Both pass the suites of persistencetest, so that what is found on them is true of the
// engines as far as the contracts go. No call waits, fails or starts a goroutine: faults
// are put in front of them by whoever wants some. Both are safe for concurrent use.
//
// Shared also does what happens to a Redis and to no Postgres: it is emptied, goes back to
// what it was a moment ago, and its clock jumps.
package memory
