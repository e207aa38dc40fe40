// Package activation is the state machine of one activation of a train: what a process does from
// the moment it wants to serve the train until it no longer does. Machine.Handle gets an event and
// returns effects. It has no goroutines, no clock and no I/O, so the same events always have the
// same effects: package actors executes them in production, and test/simulate executes them
// against faults, in millions of orders.
//
//	events                                     effects
//	Start, Stop, LeaseLost, Recovered          FindEpoch, AcquireLease, Adopt, ReadHolds, ReadTrain
//	Arrived (a request), Tick          ──▶     WriteHold, WriteSale, WriteExchange, WriteCancellation,
//	EpochFound, LeaseAcquired, Adopted,        WriteChange, WriteDeletion, ReadHistory
//	HoldsRead, TrainRead, HistoryRead,         Reply, Announce, Publish, SetTimer, Report
//	Written                                    Serve, Close
//
// # States
//
//	         read, and lost holds stored again
//	Loading ──────────────────────────────────▶ Serving ◀─────────▶ Changing
//	   │                                           │   the train is     │
//	   │ a step failed                             │   changed or       │
//	   ▼                                           ▼   deleted          │
//	Halting ◀──────────────────────────────────────┴────────────────────┘
//	   │ nothing in flight
//	   ▼
//	Closed
//
// Loading takes the steps FindEpoch, AcquireLease, Adopt, ReadHolds and ReadTrain, in this order
// (RELIABILITY.md 2). Then holds that their store lost are stored again. Requests wait.
//
// Serving decides each request at once from the seat map. Its write is an effect, and the rest of
// the command runs when Written arrives. Many writes may be in flight.
//
// Changing waits until nothing is in flight, and then writes a change or deletion of the train.
// Other requests wait.
//
// Halting decides nothing any more, and waits for the writes in flight.
//
// When it is Closed, the requests that waited are to be sent to the next activation, and so is every
// request whose write was lost. Commands are idempotent, so nothing is done twice.
//
// # When an activation halts
//
// It halts when it is stopped, is idle for IdleTimeout, loses its lease, deletes its train, or
// fails to load. It also halts when a write shows that its seat map may be wrong: the write was
// fenced (another activation owns the train), refused as contradicting the store, or its outcome
// is unknown. The next activation reads what is true (decision 0001). A request that the store
// contradicts again there is refused with 409, so that a lasting conflict ends.
//
// # Time
//
// Every event is handled at one time, now. The lease term is checked once, at that time: what is
// decided and sent in one step is as of now, and a delay after the step is like a delay on the
// network.
package activation
