package main

import "strings"

// Suites that must notice.
var (
	seatMap   = suite{pkg: "./booking"}
	simulated = suite{pkg: "./test/simulate", names: "NoHistory"}
	store     = suite{pkg: "./persistence/postgres", names: "TestStore$"}
	adoption  = suite{pkg: "./persistence/postgres", names: "Adoption"}
	unknown   = suite{pkg: "./persistence/postgres", names: "Unknown"}
	holds     = suite{pkg: "./persistence/redis", names: "TestHolds$|Fence"}
	leases    = suite{pkg: "./persistence/redis", names: "TestLeases$"}
	// One system and its stores.
	oneSystem = suite{pkg: "./actors", names: "Outlive|Unknown|Emptied"}
	// Several systems, in a bubble of testing/synctest.
	someSystems = suite{pkg: "./actors", names: "LeaseHasEnded|TrainsMove"}
)

// cluster is tests of several processes.
func cluster(names string) suite {
	return suite{pkg: "./test/cluster", names: names, long: true}
}

// chaos is half a minute of test/chaos with some faults.
func chaos(faults string) suite {
	return suite{
		pkg: "./test/chaos", names: "Promises", tags: "chaos", long: true,
		args: "-chaos.minutes 0.5 -chaos.seed 1 -chaos.only " + strings.ReplaceAll(faults, " ", "_"),
	}
}

// mutants are the rules of RELIABILITY.md, each broken. A rule that has two guards, each of
// them enough, is not here: a seat in Postgres, a hold without its lease. Nor can test/chaos
// see from outside that one of several guards is missing: the epoch, the lease.
var mutants = []mutant{
	{
		name: "early-expiry", pkg: "booking", decl: "deadlineOf",
		edit:      begin(`ttl -= 700 * time.Millisecond`),
		noticedBy: []suite{seatMap, simulated, chaos("killed")},
	},
	{
		name: "release-by-anyone", pkg: "booking", decl: "HoldRef.Matches",
		edit:      replace(`h.User == ref.User`, `true`),
		noticedBy: []suite{seatMap, chaos("killed")},
	},
	{
		name: "retry-with-a-new-id", pkg: "booking", decl: "BookingIDOf",
		edit:      begin(`return uuid.New()`),
		noticedBy: []suite{oneSystem, chaos("reset by Postgres")},
	},
	{
		name: "no-epoch-check", pkg: "persistence/postgres", decl: "bookBatch",
		edit:      replace(`g.epoch <> r.epoch OR g.owner IS DISTINCT FROM r.owner`, `g.owner IS NULL`),
		noticedBy: []suite{adoption},
	},
	{
		name: "share-lock-too-weak", pkg: "persistence/postgres", decl: "bookBatch",
		edit:      replace(`FOR SHARE`, `FOR KEY SHARE`),
		noticedBy: []suite{adoption},
	},
	{
		name: "adopt-keeps-the-epoch", pkg: "persistence/postgres", decl: "DB.Adopt",
		edit:      replace(`epoch + 1`, `epoch`),
		noticedBy: []suite{store},
	},
	{
		name: "unknown-is-failed", pkg: "persistence/postgres", decl: "translateCommit",
		edit:      replace(`persistence.ErrUnknown`, `persistence.ErrConflict`),
		noticedBy: []suite{unknown},
	},
	{
		name: "hold-without-lease", pkg: "persistence/redis", decl: "putHold",
		edit:      replace(`fence + `, ``),
		noticedBy: []suite{holds},
	},
	{
		name: "lease-taken-from-its-owner", pkg: "persistence/redis", decl: "acquireLease",
		edit:      replace(`redis.call('GET', KEYS[1])`, `false`),
		noticedBy: []suite{leases},
	},
	{
		name: "lease-renewed-by-anyone", pkg: "persistence/redis", decl: "renewLease",
		edit:      replace(`fence + `, ``),
		noticedBy: []suite{leases},
	},
	{
		name: "lease-released-by-anyone", pkg: "persistence/redis", decl: "releaseLease",
		edit:      replace(`fence + `, ``),
		noticedBy: []suite{leases},
	},
	{
		name: "response-before-the-write", pkg: "actors", decl: "trainActor.writeHold",
		edit:      begin(`then(nil); then = func(error) {}`),
		noticedBy: []suite{oneSystem},
	},
	{
		name: "no-handoff-of-holds", pkg: "actors", decl: "activations.handoff",
		edit:      begin(`return nil`),
		noticedBy: []suite{oneSystem},
	},
	{
		name: "served-after-the-lease", pkg: "actors", decl: "leaseTerm.valid",
		edit:      begin(`return true`),
		noticedBy: []suite{someSystems, cluster("")},
	},
	{
		name: "trains-stay-where-they-are", pkg: "actors", decl: "cluster.handOff",
		edit:      begin(`return nil`),
		noticedBy: []suite{someSystems},
	},
	{
		name: "change-not-announced", pkg: "actors", decl: "System.broadcast",
		edit:      begin(`return nil`),
		noticedBy: []suite{cluster("Changed")},
	},
	{
		name: "evicted-continues", pkg: "actors", decl: "membership.heartbeat",
		edit:      skip(`evicted`),
		noticedBy: []suite{cluster("Wakes")},
	},
}
