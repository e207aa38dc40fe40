// Package postgres stores trains, bookings, users and replies in Postgres 14 or newer, for
// any number of concurrent processes. DB implements persistence.Store.
//
// # One statement
//
// Every write on behalf of a train is one statement outside of a transaction: it locks the
// train's row, compares epoch and owner, and writes only if they match. A process that froze
// inside a transaction would block the next owner until it continues (RELIABILITY.md 2).
//
//	Book, CancelBooking       ── FOR SHARE ──▶ trains row ◀── UPDATE epoch ── Adopt
//	ChangeTrain, DeleteTrain  ── FOR UPDATE ─▶
//
// So sales run concurrently. Adopt waits for those in flight, and later ones find another
// epoch and write nothing.
//
// Tokens and passwords use short transactions instead, which lock one user: a single
// statement would not see what was committed while it waited for the lock. Postgres ends
// idle transactions.
//
// # Connections
//
//	Book, CancelBooking, ChangeTrain, DeleteTrain               ──▶ 4 for sales
//	Epochs, Adopt, LoadTrains, FindBooking, CancelledBookings   ──▶ 3 for adoptions
//	lists, SeatLegs, users, tokens, replies, CreateTrain, Ping  ──▶ Options.Conns, 5 by default
//
// So a sale never waits behind readers, who are anonymous and any number, and an adoption never
// waits behind sales that a lock delays. A sale may first have to find a booking, or to load its
// train; these reads are short. The connections of sales and adoptions are opened at the start and
// kept.
//
// All of them connect only to a server that accepts writes, wait at most 3 s for a lock and
// run a statement for at most 5 s. A connection pooler must preserve sessions (PgBouncer:
// session pooling, with the settings of this package in ignore_startup_parameters and set
// for the role); migrations bypass it with Options.MigrateURL.
//
// # Failure
//
// An error that Postgres returns for a statement means that it was not executed. If the
// connection is lost or ctx ends while a statement is in flight, the error is
// persistence.ErrUnknown: it may still be executed until an Adopt of its train returns.
// errors.go has all cases. Broken connections are replaced on the next use.
package postgres
