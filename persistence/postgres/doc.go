// Package postgres keeps trains, bookings, users and kept replies in Postgres, version
// 14 or newer, for any number of processes at once. DB implements persistence.Store.
//
// # One statement
//
// Every write on behalf of a train is one statement that commits by itself: it locks
// the train's row, compares epoch and owner, and writes or does not. There is never an
// open transaction around it, since a process that freezes inside one would block the
// next owner for as long as it sleeps (RELIABILITY.md 2).
//
//	Book, CancelBooking       ── FOR SHARE ──▶ trains row ◀── UPDATE epoch ── Adopt
//	ChangeTrain, DeleteTrain  ── FOR UPDATE ─▶
//
// So sales run beside one another; Adopt waits for those in flight, and whatever comes
// after it finds another epoch and writes nothing.
//
// Tokens and passwords are another matter: what one statement decides there depends on
// what it sees after it waited. They use short transactions, which lock one user and
// which Postgres ends when they idle.
//
// # Connections
//
//	Epoch, Adopt ──▶ 2 reserved      so that slow sales cannot stop an adoption
//	all others   ──▶ Options.Conns
//
// All of them go to a server that takes writes, wait at most 3 s for a lock and work at
// most 5 s on a statement. A pooler between must keep sessions (PgBouncer: session
// pooling, the settings of package postgres in ignore_startup_parameters and given to
// the role); migrations go around it by Options.MigrateURL.
//
// # Failure
//
// An error that Postgres reports about a statement means that it was not done. A
// connection that is lost, or a caller who gives up, while a statement is on its way is
// persistence.ErrUnknown: it may still be done, until an Adopt of its train returned.
// errors.go has the whole table. Connections that broke are replaced when next needed.
package postgres
