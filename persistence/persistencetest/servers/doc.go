// Package servers starts real Postgres and Redis servers for tests, and removes them.
//
//	Postgres(t)       a new migrated database on the server of the test binary
//	EmptyPostgres(t)  the same without tables
//	Redis(t)          a new Redis
//	StartPostgres(t), StartRedis(t)
//	                  a new server, which the test can kill and restart
//	StartStandby(t, primary)
//	                  a standby of a Postgres, which the test can promote
//	StartRedisWithClock(t)
//	                  a new Redis, whose clock the test can set
//	StartRedisCluster(t), StartSentinel(t)
//	                  three masters with a replica each; a master with a replica and three Sentinels
//	StartRedisWithTLS(t), StartPostgresWithTLS(t)
//	                  a new server and the certificates that it trusts
//
// The server of Postgres(t) does not sync its files, for speed; those that a test can kill
// do, as in production. Each has its own directory below the system's temporary directory,
// which other users cannot read.
//
// # Processes
//
//	test binary ── pipe ──▶ sh ──▶ postgres | redis-server
//
// Each server is a child of a shell that reads from a pipe. When the pipe is closed, because
// the test has ended or the test binary has died, the shell kills the server and removes its
// directory. So nothing is left behind, and no TestMain is needed.
//
// # Failure
//
// If a server is not installed, the test fails with the command that installs it. If it does
// not start, the test fails with its log.
package servers
