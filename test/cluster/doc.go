// Package cluster tests several processes of the built binary on one Postgres and one Redis,
// through a load balancer, while processes start, stop, are killed, paused or cut from Redis,
// and while the stores fail (RELIABILITY.md 3).
//
//	load ──▶ balancer ──▶ trainbooking serve ─┬─▶ Postgres
//	                      trainbooking serve ─┤
//	                      trainbooking serve ─┴─▶ (link) ──▶ Redis
//
// The load is package traffic. At the end, package history checks every response against the
// bookings in the store.
//
//	go test ./test/cluster -run KilledOwner -cluster.trials 20
//
// prints how long trains had no owner, over twenty trials. With -cluster.race the processes
// have the race detector, which needs more than two cores.
package cluster
