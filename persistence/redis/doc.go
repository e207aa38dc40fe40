// Package redis stores what a cluster of processes shares and may lose: leases, holds, heartbeats,
// and counts of failed logins and registrations. DB implements persistence.Leases,
// persistence.Holds, persistence.Members and booking.Attempts on Redis 7.0 or newer.
//
// # Keys
//
//	{t:<train>}:lease         "address|owner", PX persistence.LeaseTTL
//	{t:<train>}:hold:<hold>   the hold as JSON
//	{t:<train>}:holds         sorted set of the ids of holds that were not released, score = deadline in milliseconds
//	{t:<train>}:user:<user>   the same of one user's holds, with the released ones
//	{h:<slot>}:<length>:<n>   sorted set, all scores 0, of users and trains of holds that end in a period of time (see
//	                          userSets); expires a minute or so after the period
//	{members}:beats           sorted set of members, score = when their heartbeat expires on the members' clock
//	{members}:marker          hash: born, when members were last lost; beat, the last heartbeat (Redis's clock, ms);
//	                          paused, by how much the members' clock is behind Redis's (see memberState)
//	{members}:changes         channel, with a message for each Join and Leave
//	{a:<attempts>}            sorted set of attempts, score = when one that counts ceases to (Redis's clock, ms), or,
//	                          negative, when one that is under way is given up; expires with the last
//
// The part in braces selects the shard of a Redis Cluster: the keys of a train are on one
// shard, and every script uses one shard only. A batch is divided into a pipeline for each shard.
//
// A hold and the id of an ended one are kept a little longer than booking.HoldRetention after its
// deadline, by TTLs and by removing older ids. A release also removes all but the latest
// persistence.MaxHistory ids from the user's set, and deletes those holds, unless :holds has them.
// So loading a train does not read what was released, and UserHolds reads one short set.
//
// HoldsOfUser finds the trains of a user in {h:…} and then reads {t:…}:user: of these. The version
// before did not write {h:…}: its holds are not found until they are put again.
//
// The version before wrote no sets of users and left released ids in :holds. LoadHolds omits
// these; UserHolds does not find such a hold until it is put again.
//
// Attempts are timed by Redis's clock, like heartbeats and unlike holds: an hour of one process must
// not be longer than that of another, and nobody is shown these times.
//
// # Connections
//
// Users, passwords and the TLS files are read again for each connection, since they may be replaced
// while the process runs (source.go). Open tests the permissions of the user (rights.go).
//
// # Fencing
//
// The script that writes a hold first compares the lease with the activation that decided
// it. Once another activation has the lease, a write of the previous one does nothing,
// however late it arrives.
//
// # Failure
//
// A call goes to the master of its keys, never to a replica, and takes at most
// persistence.LeaseCall (WriteHolds twice that, LoadHolds once for each step). No call is sent
// twice, since a late copy could undo a newer write. A call that was
// not sent, or got an error reply, was not executed. One without a reply may have been
// executed, or may be executed later. WriteHolds then reads the holds back, which usually
// finds the result; the rest is persistence.ErrUnknown until the train has a new activation
// with a new lease. While the shard of a user in a Redis Cluster does not respond, holds are written
// without their entry in {h:…}; they get it when their owners store them again after that.
//
// When Redis restarts with its data, calls fail until it is up. When it loses its data, the
// leases are lost: every write of a hold is fenced until its train has a new activation, and
// members add themselves again with their next heartbeat. When a master was restarted or a
// replica replaced it, its last writes may be lost, and RenewLeases returns
// persistence.ErrRestarted. A shard that does not respond fails only the calls for its trains. A
// call that meets a slot which has moved is refused; the masters are then found anew.
//
// When Redis is out of memory, existing leases and heartbeats are renewed, but new leases and
// holds are persistence.ErrFull. Attempts are counted even then, since they take little and expire.
// When its clock jumps, see AcquireLeases and Heartbeat; the attempts may be forgotten.
package redis
