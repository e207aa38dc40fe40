// Package memory implements the stores of a cluster in memory: Store in place of Postgres,
// Shared in place of Redis. It is for tests that cannot use real servers, because they control
// the time or run without goroutines.
//
//	Store               persistence.Store
//	Shared.At(address)  persistence.Holds, Leases and Members for the process at an address
//
// Both pass the suites of persistencetest and are safe for concurrent use. No call waits, fails
// or starts a goroutine; the caller wraps them to inject faults.
//
// Like Redis, Shared can lose all or its latest data, and its clock can jump.
package memory
