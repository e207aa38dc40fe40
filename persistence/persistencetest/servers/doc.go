// Package servers starts real Postgres and Redis servers for tests, and takes them away.
//
//	Postgres(t)       a migrated database of its own, on the test binary's one server
//	EmptyPostgres(t)  the same without tables
//	Redis(t)          a Redis of its own
//	StartPostgres(t), StartRedis(t)
//	                  a server of its own that the test may kill and start again
//	StartRedisWithClock(t)
//	                  one whose clock the test may move, too
//
// The server of Postgres(t) does not sync its files, for speed; those that a test may
// kill do, as in production. All of them live in directories of their own under the
// system's temporary one, readable by nobody else.
//
// # Processes
//
//	test binary ── pipe ──▶ sh ──▶ postgres | redis-server
//
// Each server runs under a shell that reads from a pipe. When the pipe ends, because the
// test is over or because the test binary is gone in whatever way, the shell kills the
// server and removes its directory: nothing is left behind, and no TestMain is needed.
//
// # Failure
//
// A server that is not installed fails the test with the command that installs it; one
// that does not start fails it with what the server wrote.
package servers
