// Package actors sells seats. It implements booking.Service with one actor for each busy
// train. The actor executes all requests to its train one after another, so it alone decides
// who gets a seat. The package is the only importer of protoactor.
//
//	System.Hold ── request ──▶ activations ──▶ train actor ──▶ booking.SeatMap (decides)
//	                          finds or            │  ▲
//	                          activates the       │  │ continuation: the store has responded
//	                          train               ▼  │
//	                                            batcher ──▶ persistence (many trains, one flush)
//
// An actor never waits for a store. It gives each write to a batcher or a goroutine and
// handles other messages. When the store has responded, the rest of the command runs on the
// actor as a continuation.
//
// # Activations
//
// A train is idle or active. The first request activates it:
//
//		idle ──▶ loading ──▶ serving ◀──▶ busy (a change or delete: other requests wait)
//		  ▲         │ error     │           │
//		  │         ▼           ▼           ▼
//		  └──────────────── halting ────────┘
//
//	  - Loading acquires the train's lease, in a cluster, adopts the train in the store with a
//	    new epoch, and reads its bookings and holds. The epoch fences the writes of every
//	    earlier activation.
//	  - Halting waits until no write is in flight, then releases the lease and closes the
//	    actor. An activation halts after the idle timeout, when the train is deleted or moves to
//	    another process, at shutdown, when its lease term ends, and after a write that was
//	    fenced, contradicts the seat map, or has an unknown outcome.
//	  - A request without a response is sent to the next activation. Commands are idempotent, so
//	    nothing is done twice. This also settles a write with an unknown outcome: the adoption
//	    by the next activation finalizes it, and the load reads its result (RELIABILITY.md 2).
//	  - An activation that closes with live holds is followed by the next one at once, so that
//	    the holds expire. In the same process its holds are handed off in memory.
//
// # Clusters
//
// Several processes share the trains. Package cluster proposes one owner for each train. The
// train's lease decides: only the process that holds it may serve, and only during its lease
// term. A process that receives a request for a train of another process calls that process,
// which refuses a call that is delivered late. When the members change, each process halts the
// activations of trains that are now proposed to others.
//
// The catalogue of all trains is in the memory of every process. A change of a train is
// broadcast before its response, and every process reconciles its catalogue with the store.
//
// # Queries
//
// After each visible change, and before the response, an actor publishes an immutable
// booking.Snapshot. Queries read snapshots and send no message to active trains.
//
// # Failure
//
// Every method of booking.Service returns a *booking.Error. A 503 has the outcome
// not_executed, unless an attempt may have been executed. An actor that panics is closed, not
// restarted; the next request activates the train again. A process that its peers have evicted
// must be restarted (System.Failed).
package actors
