// Package chaos tests three processes of the service on one Postgres and one Redis, while a
// random schedule injects faults and users book a few seats (RELIABILITY.md 4.3). README.md
// lists the faults and the checks.
//
//	users ──▶ balancer ──▶ trainbooking serve ─┬─ link ─▶ Postgres
//	               peers ─ link ──▲            └─ link ─▶ Redis
//
// The test has the build tag chaos:
//
//	make chaos MINUTES=3 SEED=7
package chaos
