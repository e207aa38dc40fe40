// Package history checks what clients of the booking service sent and received against the
// promises of RELIABILITY.md (I1 to I5, I8 and I9).
//
//	clients ──▶ Recorder ──▶ History{Operations, Losses, Stored} ──▶ Check ──▶ Findings
//
// # The model
//
// Each leg of each seat is one register. porcupine searches for an order of the
// operations on it that explains every response:
//
//	        hold                        confirm, before the end
//	free ──────────▶ held(user, hold) ──────────────────────────▶ booked(user, booking)
//	 ▲                    │ release, or the end has come             │ cancel
//	 └────────────────────┴──────────────────────────────────────────┘
//
// Deleting a train frees all its registers. An operation on several seats or legs appears in the
// register of each. A refusal of such an operation appears in none, because the response does
// not name the one that was taken.
//
// # Time
//
// Times are offsets on the monotonic clock of the Recorder. An operation took effect at some
// moment between its call and its return. So an operation may find a hold ended if it
// returned at the end of the hold or later, and may find it alive if it was called before.
//
// # Failed requests
//
// An operation that failed with not_executed is left out: it must have had no effect. An
// operation with an unknown outcome has no return: it may take effect at any later time, or
// never. For confirms and cancels the store shows whether it did.
//
// A request whose write is in flight is visible to other users: a seat is refused as locked
// although the hold fails later, or after the end of a hold because a confirm arrived in time.
// Such a refusal is excused while a request that explains it is in flight.
//
// # When Redis loses its data
//
// Holds may be lost (the exemption of I2, I3 and I9): after the loss they may count as ended.
// For one lease TTL after it, reads and refusals may come from an owner that has not detected
// the loss of its lease. Nothing else is excused.
package history
