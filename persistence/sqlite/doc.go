// Package sqlite stores all data of the embedded mode in one SQLite file: trains,
// schedules, bookings, users, replies and holds. DB implements persistence.Store and
// persistence.Holds.
//
// # One writer, several readers
//
// SQLite lets one connection write at a time. DB has one connection that writes, which
// callers borrow in turn, and a few that only read. In WAL mode the readers see the last
// commit and never wait.
//
//	Book, WriteHolds, … ──▶ writer (1)  ──▶ BEGIN IMMEDIATE … COMMIT, fsync
//	LoadTrains, Find…   ──▶ readers (4) ──▶ BEGIN … COMMIT, a snapshot
//
// Every commit is on disk before a method returns (synchronous=FULL), so it survives
// kill -9 and a loss of power. ReserveKey is the exception: a reservation is durable with the
// next commit, which is at the latest that of the request that made it.
//
// # Processes
//
// Lock reserves the data directory for one server, or for Restore. Open does not need it: migrate,
// createsuperuser and set-password run beside a server, and wait up to Options.BusyTimeout to write.
// Backup reads beside it.
//
// # Failure
//
// A ctx that ends while its call waits for the writer ends the call, and nothing was
// written. Once the transaction has begun, ctx is ignored, so that the outcome is known;
// errors.go describes the one exception. On a full disk writes are persistence.ErrFull and
// reads continue. Writes succeed again when there is room. A file that is not a Trainbooking database
// is ErrSettings, before anything in it is changed.
package sqlite
