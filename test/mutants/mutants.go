package main

// The tests that notice.
var (
	seatMap   = tests{"./booking", "."}
	onPG      = tests{"./persistence/postgres", "TestStore|Adoption|Unknown"}
	onRedis   = tests{"./persistence/redis", "TestHolds$|TestLeases$|Fence"}
	theActor  = tests{"./actors", "System|Cluster|Holds|Owns|Retr|Unknown"}
	processes = tests{"./test/cluster", "."}
)

// mutants are the rules of RELIABILITY.md, each broken. What has two guards is not
// here, as either is enough: a seat in Postgres, and a hold of who has no lease.
var mutants = []mutant{
	{
		name: "no-epoch-check", file: "persistence/postgres/book.go", tests: onPG,
		old: `WHEN g.epoch <> r.epoch OR g.owner IS DISTINCT FROM r.owner THEN 'fenced'`,
		new: `WHEN g.owner IS NULL THEN 'fenced'`,
	},
	{
		name: "share-lock-too-weak", file: "persistence/postgres/book.go", tests: onPG,
		old: `FROM trains WHERE id = ANY ($2) ORDER BY id FOR SHARE`,
		new: `FROM trains WHERE id = ANY ($2) ORDER BY id FOR KEY SHARE`,
	},
	{
		name: "adopt-keeps-the-epoch", file: "persistence/postgres/train.go", tests: onPG,
		old: `UPDATE trains SET epoch = epoch + 1, owner = $3`,
		new: `UPDATE trains SET epoch = epoch + 0, owner = $3`,
	},
	{
		name: "unknown-is-failed", file: "persistence/postgres/errors.go", tests: onPG,
		old: `return fmt.Errorf("%w: %w", persistence.ErrUnknown, err)`,
		new: `return fmt.Errorf("%w: %w", persistence.ErrConflict, err)`,
	},
	{
		name: "hold-without-lease", file: "persistence/redis/hold.go", tests: onRedis,
		old: "putHold = goredis.NewScript(`\n\t\tif redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end",
		new: "putHold = goredis.NewScript(`",
	},
	{
		name: "lease-taken-from-its-owner", file: "persistence/redis/lease.go", tests: onRedis,
		old: "local holder = redis.call('GET', KEYS[1])",
		new: "local holder = false",
	},
	{
		name: "lost-lease-made-again", file: "persistence/redis/lease.go", tests: onRedis,
		old: "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end\n\t\treturn redis.call('PEXPIRE', KEYS[1], ARGV[2])",
		new: "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n\t\treturn 1",
	},
	{
		name: "lease-released-by-anyone", file: "persistence/redis/lease.go", tests: onRedis,
		old: "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end\n\t\treturn redis.call('DEL', KEYS[1])",
		new: "return redis.call('DEL', KEYS[1])",
	},
	{
		name: "early-expiry", file: "booking/seatmap_hold.go", tests: seatMap,
		old: `phase: PhasePending, deadline: deadline,`,
		new: `phase: PhasePending, deadline: deadline.Add(-100 * time.Millisecond),`,
	},
	{
		name: "release-by-anyone", file: "booking/claim.go", tests: seatMap,
		old: `case hold != nil && hold.User == ref.User && covers(hold.Seats):`,
		new: `case hold != nil && covers(hold.Seats):`,
	},
	{
		name: "retry-with-a-new-id", file: "booking/id.go", tests: theActor,
		old: `return uuid.NewSHA1(idNamespace, append(user[:], hold[:]...))`,
		new: `_, _ = user, hold; return uuid.New()`,
	},
	{
		name: "answer-before-the-write", file: "actors/hold.go", tests: theActor,
		old: "\tt.writeHold(a.ctx, persistence.HoldPut, h, func(err error) {\n\t\tswitch {\n\t\tcase t.lost(a, err):\n\t\t\treturn\n\t\tcase err != nil:\n\t\t\tt.seats.HoldFailed(h.ID)",
		new: "\tt.answer(a, h, nil)\n\ta = &ask{ctx: a.ctx, reply: make(chan reply, 1), counted: &pressure{}}\n" +
			"\tt.writeHold(a.ctx, persistence.HoldPut, h, func(err error) {\n\t\tswitch {\n\t\tcase t.lost(a, err):\n\t\t\treturn\n\t\tcase err != nil:\n\t\t\tt.seats.HoldFailed(h.ID)",
	},
	{
		name: "holds-not-inherited", file: "actors/load.go", tests: theActor,
		old: `lost := missing(inherited, holds)`,
		new: `lost := missing(inherited[:0], holds)`,
	},
	{
		name: "served-after-the-lease", file: "actors/lease.go", tests: processes, long: true,
		old: `return t == nil || monotonic() < time.Duration(t.until.Load())`,
		new: `return t == nil || t.until.Load() > -1`,
	},
	{
		name: "news-not-told", file: "actors/news.go", tests: tests{"./test/cluster", "Changed"}, long: true,
		old: `return s.cluster.peers.tellAll(ctx, operationNews, n)`,
		new: `_, _ = ctx, n; return nil`,
	},
	{
		name: "no-handover", file: "actors/cluster.go", tests: tests{"./test/cluster", "Fourth"}, long: true,
		old: `if c.mine(a.train) {`,
		new: `if a != nil {`,
	},
	{
		name: "evicted-goes-on", file: "actors/member.go", tests: tests{"./test/cluster", "Wakes"}, long: true,
		old: `m.evicted()`,
		new: `_ = m.evicted`,
	},
}
