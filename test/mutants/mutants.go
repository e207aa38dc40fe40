package main

import "strings"

// The tests that notice.
var (
	seatMap   = tests{pkg: "./booking", names: "."}
	onPG      = tests{pkg: "./persistence/postgres", names: "TestStore|Adoption|Unknown"}
	onRedis   = tests{pkg: "./persistence/redis", names: "TestHolds$|TestLeases$|Fence"}
	theActor  = tests{pkg: "./actors", names: "System|Cluster|Holds|Owns|Retr|Unknown"}
	simulated = tests{pkg: "./test/simulate", names: "NoHistory"}
	processes = tests{pkg: "./test/cluster", names: "."}
)

// chaos is half a minute of test/chaos with these faults alone.
func chaos(faults string) tests {
	return tests{
		module: "test/chaos", pkg: ".", names: "Promises",
		args: "-chaos.minutes 0.5 -chaos.seed 1 -chaos.only " + strings.ReplaceAll(faults, " ", "_"),
	}
}

// mutants are the rules of RELIABILITY.md, each broken. What has two guards is not
// here, as either is enough: a seat in Postgres, a hold of who has no lease. Nor is it seen
// from outside by test/chaos when one of several guards is gone: the epoch, the lease.
var mutants = []mutant{
	{
		name: "no-epoch-check", tests: onPG,
		edits: []edit{{
			file: "persistence/postgres/book.go",
			old:  `WHEN g.epoch <> r.epoch OR g.owner IS DISTINCT FROM r.owner THEN 'fenced'`,
			new:  `WHEN g.owner IS NULL THEN 'fenced'`,
		}},
	},
	{
		name: "share-lock-too-weak", tests: onPG,
		edits: []edit{{
			file: "persistence/postgres/book.go",
			old:  `FROM trains WHERE id = ANY ($2) ORDER BY id FOR SHARE`,
			new:  `FROM trains WHERE id = ANY ($2) ORDER BY id FOR KEY SHARE`,
		}},
	},
	{
		name: "adopt-keeps-the-epoch", tests: onPG,
		edits: []edit{{
			file: "persistence/postgres/train.go",
			old:  `UPDATE trains SET epoch = epoch + 1, owner = $3`,
			new:  `UPDATE trains SET epoch = epoch + 0, owner = $3`,
		}},
	},
	{
		name: "unknown-is-failed", tests: onPG,
		edits: []edit{{
			file: "persistence/postgres/errors.go",
			old:  `return fmt.Errorf("%w: %w", persistence.ErrUnknown, err)`,
			new:  `return fmt.Errorf("%w: %w", persistence.ErrConflict, err)`,
		}},
	},
	{
		name: "hold-without-lease", tests: onRedis,
		edits: []edit{{
			file: "persistence/redis/hold.go",
			old:  "putHold = goredis.NewScript(`\n\t\tif redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end",
			new:  "putHold = goredis.NewScript(`",
		}},
	},
	{
		name: "lease-taken-from-its-owner", tests: onRedis,
		edits: []edit{{
			file: "persistence/redis/lease.go",
			old:  "local holder = redis.call('GET', KEYS[1])",
			new:  "local holder = false",
		}},
	},
	{
		name: "lost-lease-made-again", tests: onRedis,
		edits: []edit{{
			file: "persistence/redis/lease.go",
			old:  "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end\n\t\treturn redis.call('PEXPIRE', KEYS[1], ARGV[2])",
			new:  "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n\t\treturn 1",
		}},
	},
	{
		name: "lease-released-by-anyone", tests: onRedis,
		edits: []edit{{
			file: "persistence/redis/lease.go",
			old:  "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end\n\t\treturn redis.call('DEL', KEYS[1])",
			new:  "return redis.call('DEL', KEYS[1])",
		}},
	},
	{
		name: "early-expiry", tests: seatMap,
		edits: []edit{{
			file: "booking/seatmap_hold.go",
			old:  `phase: PhasePending, deadline: deadline,`,
			new:  `phase: PhasePending, deadline: deadline.Add(-100 * time.Millisecond),`,
		}},
	},
	{
		name: "release-by-anyone", tests: seatMap,
		edits: []edit{{
			file: "booking/claim.go",
			old:  `case hold != nil && hold.User == ref.User && covers(hold.Seats):`,
			new:  `case hold != nil && covers(hold.Seats):`,
		}},
	},
	{
		name: "retry-with-a-new-id", tests: theActor,
		edits: []edit{{
			file: "booking/id.go",
			old:  `return uuid.NewSHA1(idNamespace, append(user[:], hold[:]...))`,
			new:  `_, _ = user, hold; return uuid.New()`,
		}},
	},
	{
		name: "answer-before-the-write", tests: theActor,
		edits: []edit{{
			file: "actors/hold.go",
			old:  "\tt.writeHold(a.ctx, persistence.HoldPut, h, func(err error) {\n\t\tswitch {\n\t\tcase t.lost(a, err):\n\t\t\treturn\n\t\tcase err != nil:\n\t\t\tt.seats.HoldFailed(h.ID)",
			new: "\tt.answer(a, h, nil)\n\ta = &ask{ctx: a.ctx, reply: make(chan reply, 1), counted: &pressure{}}\n" +
				"\tt.writeHold(a.ctx, persistence.HoldPut, h, func(err error) {\n\t\tswitch {\n\t\tcase t.lost(a, err):\n\t\t\treturn\n\t\tcase err != nil:\n\t\t\tt.seats.HoldFailed(h.ID)",
		}},
	},
	{
		name: "holds-not-inherited", tests: theActor,
		edits: []edit{{
			file: "actors/load.go",
			old:  `lost := missing(inherited, holds)`,
			new:  `lost := missing(inherited[:0], holds)`,
		}},
	},
	{
		name: "served-after-the-lease", tests: processes, long: true,
		edits: []edit{{
			file: "actors/lease.go",
			old:  `return t == nil || monotonic() < time.Duration(t.until.Load())`,
			new:  `return t == nil || t.until.Load() > -1`,
		}},
	},
	{
		name: "news-not-told", tests: tests{pkg: "./test/cluster", names: "Changed"}, long: true,
		edits: []edit{{
			file: "actors/news.go",
			old:  `return s.cluster.peers.tellAll(ctx, operationNews, n)`,
			new:  `_, _ = ctx, n; return nil`,
		}},
	},
	{
		name: "no-handover", tests: tests{pkg: "./test/cluster", names: "Fourth"}, long: true,
		edits: []edit{{
			file: "actors/cluster.go",
			old:  `if c.mine(a.train) {`,
			new:  `if a != nil {`,
		}},
	},
	{
		name: "evicted-goes-on", tests: tests{pkg: "./test/cluster", names: "Wakes"}, long: true,
		edits: []edit{{
			file: "actors/member.go",
			old:  `m.evicted()`,
			new:  `_ = m.evicted`,
		}},
	},
	// What clients of three real processes see of a broken rule.
	{
		name: "chaos-early-expiry", tests: chaos("killed"), long: true,
		edits: []edit{{
			file: "booking/seatmap_hold.go",
			old:  `phase: PhasePending, deadline: deadline,`,
			new:  `phase: PhasePending, deadline: deadline.Add(-time.Second),`,
		}},
	},
	{
		name: "chaos-release-by-anyone", tests: chaos("killed"), long: true,
		edits: []edit{{
			file: "booking/claim.go",
			old:  `case hold != nil && hold.User == ref.User && covers(hold.Seats):`,
			new:  `case hold != nil && covers(hold.Seats):`,
		}},
	},
	{
		name: "chaos-retry-with-a-new-id", tests: chaos("reset by Postgres"), long: true,
		edits: []edit{{
			file: "booking/id.go",
			old:  `return uuid.NewSHA1(idNamespace, append(user[:], hold[:]...))`,
			new:  `_, _ = user, hold; return uuid.New()`,
		}},
	},
	// The simulator has the real seat map; what else can be broken there it breaks itself.
	{
		name: "simulated-early-expiry", tests: simulated,
		edits: []edit{{
			file: "booking/seatmap_hold.go",
			old:  `phase: PhasePending, deadline: deadline,`,
			new:  `phase: PhasePending, deadline: deadline.Add(-700 * time.Millisecond),`,
		}},
	},
}
