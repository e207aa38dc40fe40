// Package actors sells seats. It implements booking.Service with one actor for each busy
// train. The actor executes all requests to its train one after another, so it alone decides
// who gets a seat. The package is the only importer of protoactor.
//
//	System.Hold ── request ──▶ activations ──▶ train actor ──▶ activation.Machine (decides)
//	                          finds or            │    ▲               │
//	                          activates the       │    └─── effects ───┘
//	                          train               ▼
//	                                            batcher ──▶ persistence (many trains, one flush)
//
// An actor never waits for a store. It executes the effects of its machine: it gives each write to
// a batcher or a goroutine, whose result is the machine's next event. A batcher has a few partitions
// of trains, each with one flush in flight (type partition). Package activation has the
// states of a train, and all decisions.
//
// # Activations
//
// The first command activates a train. A command whose activation closes without a response is
// sent to the next one. Commands are idempotent, so nothing is done twice. In the same process the
// live holds of an activation are handed off to the next one in memory, and if there are any, it
// follows at once, to store them again if their store has lost them.
//
// # Clusters
//
// Several processes share the trains. Package cluster proposes one owner for each train. The
// train's lease decides: only the process that holds it may serve, and only during its lease
// term. A process that receives a request for a train of another process calls that process,
// which refuses a call whose caller has stopped waiting. When the members change, each process
// halts the activations of trains that are now proposed to others.
//
// The catalogue of the trains that are not retired is in the memory of every process. Before the
// response to a change, every process reads from the store what has changed.
//
// # Queries
//
// After each visible change, and before the response, an actor publishes an immutable
// booking.Snapshot. Queries read it, without a message. A train that is not active is read from the
// stores (type passive): no query activates a train, and nothing is decided from what it reads. Watchers
// of seats receive the differences between snapshots (type watches).
//
// # Failure
//
// Every method of booking.Service returns a *booking.Error. A 503 has the outcome
// not_executed, unless an attempt may have been executed. An actor that panics is closed, not
// restarted; the next request activates the train again. A process that its peers have evicted
// must be restarted (System.Failed).
package actors
