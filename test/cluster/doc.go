// Package cluster holds the tests of several processes that act as one: the built binary
// on one Postgres and one Redis, asked through a load balancer as clients do, while
// processes come, go, are killed, paused and cut off, and while the stores fail
// (RELIABILITY.md 3).
//
//	load ──▶ balancer ──▶ trainbooking serve ─┬─▶ Postgres
//	                      trainbooking serve ─┤
//	                      trainbooking serve ─┴─▶ (link) ──▶ Redis
//
// The load books, releases and cancels seats and writes down every answer. In the end the
// bookings that the service shows must be those that it acknowledged, no more, no less,
// and each seat's but once.
//
//	go test ./test/cluster -run KilledOwner -cluster.trials 20
//
// prints how long trains were without an owner, over so many trials.
package cluster
