// Package bench compares the service with what people would use instead, side by side:
//
//	make bench
//	make bench ROUNDS=1 TIME=2s WORKLOAD='^lock' SERVER='clustered|peer'
//
// It starts everything on loopback: the limit, which only decodes, checks tokens and replies; two peers
// without actors (command peer); and the service, embedded, as one clustered process and as three. wrk
// sends the requests, from the scripts in lua. The servers take turns in each round, so that whatever
// else the machine does hurts all of them alike. The ratios are what matters.
//
//	lua, wrk   the load, and what it counted
//	open       requests at a constant rate
//	cpu        processor time and memory of servers and stores
//	check      what was acknowledged against what users own
//	report     medians, ratios, targets and tails
//	growth     figures beside the size of what the service has
//
// The same servers and workloads are used by
//
//	make bench-tails    how long the slowest requests take at half the highest rate
//	make bench-growth   whether a figure grows faster than its work
//	make profile        what the service does during a workload
//
// # What does not count
//
// A run with an unexpected status, a socket error or a timeout fails. After each run every user's
// bookings are read: a seat with two owners, or an acknowledged booking that its user does not have,
// fails it. Seats that were only locked are asked for again by another user, who must be refused.
//
// # Limits of the comparison
//
// wrk runs on the same cores as the servers, and costs more per reply where a script reads replies
// (lock then confirm, the rush, the mix): ratios to the limit include it on both sides. Three
// processes are loaded by three wrks at the same time, each with a third of the connections; their
// p50 is the mean over the requests of all, and their p99 the worst.
package bench
