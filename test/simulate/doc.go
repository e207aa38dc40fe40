// Package simulate runs the protocol of docs/RELIABILITY.md 2 against the faults of its
// part 3, one step at a time on one thread, in an order that follows from a seed. So a
// run that breaks a promise can be repeated exactly.
//
// The machine of package activation, booking.SeatMap and the stores of persistencetest/memory are
// real; the stores pass the same suites as Postgres and Redis. Simulated are the shell of a machine,
// which package actors has in production, the renewal of leases, and the network: it delays calls,
// loses them before or after execution, and executes some long after the caller has timed out.
//
//	users ──▶ node ──▶ shell ──▶ activation.Machine
//	   │                 └── effects ──▶ network ──▶ Store | Shared
//	   │                                               │
//	   └──────────── ledger: acknowledged and committed writes ◀───────┘
//
// The ledger checks I1 to I6 and I8 to I10 at each step, by a true time that no node knows.
// Of I7 it checks that no request fails long after the last fault. A write may take effect at
// any time between a request and its response.
//
// A Mutation is an intentional error in what is simulated; test/mutants has those in the machine.
// The tests check that each is detected, and that each Occurrence of the machine occurs.
package simulate
