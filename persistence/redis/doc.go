// Package redis keeps what a cluster of processes shares and may lose: who owns a
// train, which seats are on hold, which processes there are. DB implements
// persistence.Leases, persistence.Holds and persistence.Members on Redis 7.0 or newer.
//
// # Keys
//
//	{t:<train>}:lease         "address|owner", PX persistence.LeaseTTL
//	{t:<train>}:hold:<hold>   the hold as JSON, PX a little beyond its memory's end
//	{t:<train>}:holds         sorted set of hold ids, score = deadline in milliseconds
//	{members}:beats           sorted set of members, score = when their heartbeat ends
//	{members}:marker          hash: born, beat (milliseconds of Redis's clock)
//	{members}:changes         channel
//
// What is in braces decides the shard of a Redis Cluster, and every script keeps to one:
// the keys of a train are together, those of different trains are spread.
//
// # Fencing
//
// A hold is written by a script that first compares the lease with the activation that
// decided it. So the order of events at Redis is the truth: once another owns the lease,
// nothing of the one before is written any more, however late it arrives.
//
// # Failure
//
// No call takes longer than persistence.LeaseCall to be answered or given up (WriteHolds
// twice that, LoadHolds for each of its steps), and none is sent twice: a copy that arrives late could undo what came after
// it. A call that was not sent, or was answered with an error, was not done. One without
// an answer may have been done, and may still be: WriteHolds looks for the holds that it
// wrote and finds most answers so; what it does not find is persistence.ErrUnknown, and
// only a new activation, with a new lease, knows for certain.
//
// Redis restarted with its data: calls fail for as long as it takes. Restarted empty, or
// emptied: leases are gone, so every write of a hold is fenced until its train has a new
// activation, and members add themselves again with their next heartbeat. Out of memory:
// leases and heartbeats that are there go on, new leases and holds are
// persistence.ErrFull. Its clock jumped: see AcquireLease and Heartbeat.
package redis
