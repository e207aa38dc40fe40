// Package history reports whether what clients saw of the seats is something that a service
// which keeps its promises (RELIABILITY.md I1 to I5) can have shown them. It is
// porcupine's search for an order of the operations, with a model of one seat:
//
//	        hold                        confirm, before the end
//	free ──────────▶ held(user, hold) ──────────────────────────▶ booked(user, booking)
//	 ▲                    │ release, or the end has come             │ cancel
//	 └────────────────────┴──────────────────────────────────────────┘
//
// # Time
//
// Times are offsets on the monotonic clock of whoever recorded them: a call's before it
// dialled, a return's after it read the body. The end of a hold is on that clock too. The
// order knows no instants, only that each operation took effect between its call and its
// return. So an operation may find a hold ended if it returned at the end or later, and
// may find it alive if it was called before.
//
// # Answers that leave open what happened
//
// Nothing happened by an operation that says not_executed: it is left out, and if it did
// something the others show it. One whose outcome is unknown has no return: it may take
// effect at any time, or never. For confirms and cancels the store reports whether they did.
//
// A request in transit to the stores shows: others meet a locked seat that in the end
// nobody gets, or that stays locked past its end because its confirm was in time, also one
// that the owner could not store and the next one refused, as the end had come. Such
// refusals promise nothing to anybody, and are excused while a request that can be their
// reason is under way.
//
// # When Redis loses its data
//
// Holds that were there may be gone (RELIABILITY.md 1, the exemption of I2, I3 and I9): they
// may count as ended from then on. Reads and refusals may for the life of a lease come
// from an owner who does not know yet that it has lost its lease. Nothing else is excused,
// bookings least of all.
package history
