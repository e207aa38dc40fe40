// Package simulate plays the protocol of docs/RELIABILITY.md 2 against the faults of its
// part 3, one step after another on one thread, in an order that a seed decides. So a
// history that breaks a promise can be played again as often as one likes.
//
// Real are booking.SeatMap, which decides, and the stores of persistencetest/memory, which
// pass the suites that Postgres and Redis pass. Between them stand several nodes, each a
// model of the train's actor: the same steps in the same order as package actors, with
// nothing but the steps. Between nodes and stores stands a network that delays, loses
// before or after execution, and lets a statement arrive long after it was given up.
//
//	clients ──▶ node ──▶ activation (SeatMap, tenure) ──▶ network ──▶ Store | Shared
//	   │                                                                │
//	   └──────────── ledger: what was acknowledged, what committed ◀────┘
//
// The ledger checks I1 to I6 and I8 to I10 at each step, with true time, which no node
// knows, and of I7 that nothing fails any more long after the last fault. What a client
// was told is judged by when it called and when it was answered: between the two a thing
// may have happened at any time.
//
// A Mutation breaks the protocol on purpose: the tests show that each is caught.
package simulate
