// Package actors runs one actor for each busy train: the one place that decides who
// gets a seat. It implements booking.Service on protoactor and is the only importer
// of it.
//
//	System.Hold ── ask ──▶ placement ──▶ train actor ──▶ booking.SeatMap (decides)
//	                          │              │  ▲
//	                     finds or            │  └── resume: how the store answered
//	                     activates           ▼
//	                                      batcher ──▶ persistence (many trains, one flush)
//
// An actor never waits for a store. A decision goes to a batcher or a goroutine, and
// what is left to do comes back to the actor as a resume message; meanwhile it takes
// other messages.
//
// # Life of a train actor
//
//	        first ask              loaded               nothing in flight
//	(none) ───────────▶ loading ───────────▶ serving ◀────────────────────▶ busy
//	   ▲                   │ error             │ idle, shutdown,     │ (change, delete: asks wait)
//	   └──── closed ◀──────┴──── halting ◀─────┴─────────────────────┘ deleted
//	                                             fenced, contradicted, unknown outcome
//
// Loading adopts the train in the store with a new epoch, which fences every earlier
// activation, and reads what is sold and held. Halting waits until no write is in
// flight. An ask that a closing actor did not answer is asked again of the next one:
// every command finds what an earlier attempt did, so nothing is done twice. That is
// also how a write with an unknown outcome is settled: the next activation's adoption
// ends it one way or the other, and its load shows which (RELIABILITY.md 2).
//
// # Reads
//
// After each visible change, and before the reply, the actor publishes an immutable
// booking.Snapshot; searches read those without a message.
//
// # Failure
//
// Every method of booking.Service returns a *booking.Error. Of a 503 the outcome is
// not_executed unless an attempt was lost on the way. An actor that panics is closed, not
// restarted. An activation that closes with live holds is followed by another at once:
// somebody must end them.
package actors
