// Package history checks what clients of the booking service sent and received against the
// promises of RELIABILITY.md (I1 to I5, I8 and I9).
//
//	clients ──▶ Recorder ──▶ History{Operations, Losses, Stored} ──▶ Check ──▶ Result
//
// # The model
//
// Each leg of each seat is a register of its own. porcupine searches for an order of the
// operations on it that explains every response:
//
//	        hold                        confirm, before the end
//	free ──────────▶ held(user, hold) ──────────────────────────▶ booked(user, booking)
//	 ▲                    │ release, or the end has come             │ cancel
//	 └────────────────────┴──────────────────────────────────────────┘
//
// Deleting a train frees all of it. An operation on several seats or legs appears in the
// register of each. A refusal of such an operation appears in none, because the response
// does not say which of them was taken.
//
// # Time
//
// Times are offsets on the monotonic clock of the Recorder. An operation took effect at some
// moment between its call and its return. So an operation may find a hold ended if it
// returned at the end of the hold or later, and may find it alive if it was called before.
//
// # Failed requests
//
// An operation that failed with not_executed had no effect and is left out; if it had one,
// the other operations contradict it. An operation with an unknown outcome has no return: it
// may take effect at any later time, or never. For confirms and cancels the store shows
// whether it did.
//
// A request that a process is still writing to a store is visible to others: they find a seat
// locked that nobody gets in the end, or locked past the end of the hold because a confirm
// arrived in time. Such a refusal is excused while a request that can be its reason is under
// way.
//
// # When Redis loses its data
//
// Holds may be lost (the exemption of I2, I3 and I9): from then on they may count as ended.
// For one lease TTL after the loss, reads and refusals may come from an owner that has not
// noticed that its lease is gone. Nothing else is excused, bookings least of all.
package history
