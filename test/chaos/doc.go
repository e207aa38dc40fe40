// Package chaos holds a test of three processes of the service on one Postgres and one
// Redis, to which faults happen by a schedule while users lock, confirm, release and
// cancel a few seats, and look at them (RELIABILITY.md 4.3). README.md says which faults.
//
//	users ──▶ balancer ──▶ trainbooking serve ─┬─ link ─▶ Postgres
//	               peers ─ link ──▲            └─ link ─▶ Redis
//
// Every request is written down, and package history reports whether a service that keeps its
// promises can have answered so. The rest is read from the store.
//
//	make chaos MINUTES=3 SEED=7
package chaos
