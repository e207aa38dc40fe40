// Package simulate runs the protocol of docs/RELIABILITY.md 2 against the faults of its
// part 3, one step at a time on one thread, in an order that follows from a seed. So a
// run that breaks a promise can be repeated exactly.
//
// booking.SeatMap and the stores of persistencetest/memory are real; the stores pass the
// same suites as Postgres and Redis. Several nodes each have a model of the train's actor,
// with the same steps in the same order as package actors. A network between nodes and
// stores delays calls, loses them before or after execution, and executes some long after
// the caller has timed out.
//
//	users ──▶ node ──▶ activation (SeatMap, lease term) ──▶ network ──▶ Store | Shared
//	   │                                                               │
//	   └──────────── ledger: acknowledged and committed writes ◀───────┘
//
// The ledger checks I1 to I6 and I8 to I10 at each step, by a true time that no node knows.
// Of I7 it checks that no request fails long after the last fault. A write may take effect at
// any time between a request and its response.
//
// A Mutation is an intentional error in the protocol. The tests check that each is detected.
package simulate
