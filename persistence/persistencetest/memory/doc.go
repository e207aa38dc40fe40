// Package memory implements the stores of a cluster in memory: Store in place of Postgres,
// Shared in place of Redis. It is for tests and simulations that real servers cannot serve,
// because they have a clock of their own or run without goroutines.
//
//	Store               persistence.Store
//	Shared.At(address)  persistence.Holds, Leases and Members for the process at an address
//
// Both pass the suites of persistencetest. No call waits, fails or starts a goroutine; the
// caller injects faults in front of them. Both are safe for concurrent use.
//
// Shared can also lose all or its latest data, and its clock can jump, as those of Redis.
package memory
