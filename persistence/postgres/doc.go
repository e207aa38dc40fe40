// Package postgres stores trains, schedules, bookings, users and replies in Postgres 14 or newer, for
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
// epoch and write nothing. The writes themselves do not wait for the row: if somebody else has it,
// perhaps an Adopt, the result is persistence.ErrLocked, and the caller repeats the write. So the
// connections stay free for other trains.
//
// An adoption that creates a departure locks its schedule FOR SHARE, and a change of that FOR UPDATE. Rows
// are locked in the order trains, schedules, catalogue; bookings and seats only after their train.
//
// Tokens and passwords use short transactions instead, which lock one user: a single
// statement would not see what was committed while it waited for the lock. Postgres ends
// idle transactions.
//
// # Connections
//
//	Book                                                        ──▶ 4 for sales
//	CancelBooking, ChangeTrain, DeleteTrain                     ──▶ 2 for changes
//	Epochs, Adopt, LoadTrains, FindBooking, CancelledBookings,
//	ReserveKey, ReleaseKey, Ping                                ──▶ 3 for adoptions
//	lists, SeatLegs, users, tokens, schedules, CreateTrain      ──▶ Options.Conns, 5 by default
//
// So a sale never waits behind readers, who are anonymous and any number, and an adoption never
// waits behind sales that a lock delays. SaleWriters calls of Book have a connection each, and one
// more for a train that is locked. A sale may first have to find a booking, to load its train or to
// reserve a key; these statements are short. All but the last five are opened at the start and kept.
//
// All of them connect only to a server that accepts writes, wait at most 3 s for a lock and
// run a statement for at most 5 s; settings.go has shorter times for sales, changes and adoptions.
// A connection pooler must preserve sessions (PgBouncer: session pooling, with the settings of this
// package in ignore_startup_parameters and set for the role); migrations bypass it with
// Options.MigrateURL.
//
// The user, the password and the files for TLS are read again for each connection, since they are
// replaced while the process runs (source.go).
//
// # Failure
//
// An error that Postgres returns for a statement means that it was not executed. If the
// connection is lost or ctx ends while a statement is in flight, the error is
// persistence.ErrUnknown: it may still be executed until an Adopt of its train returns.
// errors.go has all cases. Broken connections are replaced on the next use. A server may also fall
// silent without closing a connection: then one that was idle for a second is given up when it
// does not answer a ping, connecting is tried at the next host, and steps that a request waits for
// have limits of their own (conn.go, db.go).
package postgres
