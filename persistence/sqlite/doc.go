// Package sqlite keeps everything that the embedded mode stores in one SQLite file:
// trains, bookings, users, kept replies and, beside them, holds. DB implements
// persistence.Store and persistence.Holds.
//
// # One writer, several readers
//
// SQLite lets one connection write at a time. DB has one connection that writes, lent
// to one caller after another, and a few that only read; in WAL mode the readers see
// the last commit and wait for nobody.
//
//	Book, WriteHolds, … ──▶ writer (1)  ──▶ BEGIN IMMEDIATE … COMMIT, fsync
//	LoadTrain, Find…    ──▶ readers (4) ──▶ BEGIN … COMMIT, a snapshot
//
// Every commit is on disk before a method returns (synchronous=FULL): what was
// acknowledged survives kill -9 and a loss of power.
//
// # Processes
//
// Lock keeps the data directory for one server. Open does not ask for it: migrate and
// createsuperuser run beside a server, and wait up to Options.BusyTimeout for their
// turn to write.
//
// # Failure
//
// A caller who gives up while it waits for the writer is told so and nothing was done.
// Once its transaction has begun it is carried through whatever becomes of the caller,
// so that the answer is always done or not done; errors.go tells the one case in which
// SQLite itself cannot know. On a full disk writes are persistence.ErrFull, reads go on,
// and writing works again when there is room.
package sqlite
