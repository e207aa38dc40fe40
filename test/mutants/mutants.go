package main

import "strings"

// Suites that several mutants share.
var (
	seatMap = suite{pkg: "./booking", names: "SeatMapAgreesWithTheModel"}
	machine = suite{pkg: "./actors/activation"}
	// From this seed on, each mutant is killed within 200 seeds; from 1 on, five needed up to 500. If
	// the simulator changes, the others of these seeds remain. From 500 seeds on, the test also fails
	// if a rare state is not reached, which proves nothing about a mutant.
	simulated = suite{pkg: "./test/simulate", names: "NoHistory", args: "-first 330 -seeds 999"}
)

// tests returns tests of a package: for each mutant the one of its rule, since a server and a
// database for each of the others would take most of the time.
func tests(pkg, names string) suite { return suite{pkg: pkg, names: names} }

// cluster returns tests of several processes.
func cluster(names string) suite {
	return suite{pkg: "./test/cluster", names: names, long: true}
}

// chaos returns half a minute of test/chaos with these faults.
func chaos(faults string) suite {
	return suite{
		pkg: "./test/chaos", names: "Promises", tags: "chaos", long: true,
		args: "-chaos.minutes 0.5 -chaos.seed 1 -chaos.only " + strings.ReplaceAll(faults, " ", "_"),
	}
}

// mutants break the rules of RELIABILITY.md, except those that two independent checks enforce,
// such as that Postgres books a seat once. test/chaos cannot kill the mutants of the epoch and
// the lease: clients observe no error, because other checks remain.
var mutants = []mutant{
	{
		name: "early-expiry", pkg: "booking", decl: "deadlineOf",
		edit:     begin(`ttl -= 700 * time.Millisecond`),
		killedBy: []suite{seatMap, chaos("killed")},
	},
	{
		name: "release-by-anyone", pkg: "booking", decl: "HoldRef.Matches",
		edit:     replace(`h.User == ref.User`, `true`),
		killedBy: []suite{seatMap, chaos("killed")},
	},
	{
		name: "extended-again-and-again", pkg: "booking", decl: "SeatMap.Extend",
		edit:     replace(`case h.Extended:`, `case false:`),
		killedBy: []suite{seatMap},
	},
	{
		name: "part-is-booked-and-held", pkg: "booking", decl: "SeatMap.notBooked",
		edit:     begin(`return h.Seats`),
		killedBy: []suite{seatMap},
	},
	{
		name: "part-ends-the-hold", pkg: "booking", decl: "liveHold.partOf",
		edit:     begin(`return nil`),
		killedBy: []suite{seatMap},
	},
	{
		name: "part-is-cancelled-while-it-is-held", pkg: "booking", decl: "SeatMap.BookedFrom",
		edit:     replace(`|| b.ID == BookingIDOf(h.User, h.ID.Part(b.Seats))`, ``),
		killedBy: []suite{machine},
	},
	{
		name: "held-again-and-again", pkg: "booking", decl: "pauses.until",
		edit:     begin(`return time.Time{}`),
		killedBy: []suite{tests("./booking", "SomebodyElseWanted")},
	},
	{
		name: "retry-with-a-new-id", pkg: "booking", decl: "BookingIDOf",
		edit:     begin(`return uuid.New()`),
		killedBy: []suite{tests("./actors", "HoldsAndBookingsSurviveARestart"), simulated, chaos("reset by Postgres")},
	},
	{
		name: "no-epoch-check", pkg: "persistence/postgres", decl: "bookBatch",
		edit:     replace(`g.epoch <> r.epoch OR g.owner IS DISTINCT FROM r.owner`, `g.owner IS NULL`),
		killedBy: []suite{tests("./persistence/postgres", "TestStore$/OwnerAndEpochAreCompared")},
	},
	{
		name: "share-lock-too-weak", pkg: "persistence/postgres", decl: "bookBatch",
		edit:     replace(`FOR SHARE`, `FOR KEY SHARE`),
		killedBy: []suite{tests("./persistence/postgres", "AdoptionWaitsForTheSale")},
	},
	{
		name: "no-epoch-check-alone", pkg: "persistence/postgres", decl: "bookAlone",
		edit:     replace(`epoch = $2 AND owner = $3`, `$2::bigint IS NOT NULL AND $3::uuid IS NOT NULL`),
		killedBy: []suite{tests("./persistence/postgres", "TestStore$/OwnerAndEpochAreCompared")},
	},
	{
		name: "share-lock-too-weak-alone", pkg: "persistence/postgres", decl: "bookAlone",
		edit:     replace(`FOR SHARE`, `FOR KEY SHARE`),
		killedBy: []suite{tests("./persistence/postgres", "AdoptionWaitsForTheSale")},
	},
	{
		name: "cancelled-booking-is-exchanged", pkg: "persistence/postgres", decl: "DB.ExchangeBooking",
		edit:     replace(`AND coalesce(cancelled_at, 'infinity') = 'infinity'`, ``),
		killedBy: []suite{tests("./persistence/postgres", "TestStore$/ExchangeNeedsALiveBooking")},
	},
	{
		name: "no-epoch-check-of-an-exchange", pkg: "persistence/postgres", decl: "DB.ExchangeBooking",
		edit:     replace("` + guardResult + `", `NULL`),
		killedBy: []suite{tests("./persistence/postgres", "TestStore$/OwnerAndEpochAreCompared")},
	},
	{
		name: "adopt-keeps-the-epoch", pkg: "persistence/postgres", decl: "DB.adoptStored",
		edit:     replace(`SET epoch = epoch + 1`, `SET epoch = epoch`),
		killedBy: []suite{tests("./persistence/postgres", "TestStore$/AdoptIncrementsTheEpoch")},
	},
	{
		name: "departure-without-a-lock-of-its-schedule", pkg: "persistence/postgres", decl: "DB.createDepartures",
		edit:     replace(` FOR SHARE SKIP LOCKED`, ``),
		killedBy: []suite{tests("./persistence/postgres", "ChangeOfAScheduleWaits")},
	},
	{
		name: "departure-of-a-stale-schedule", pkg: "persistence/postgres", decl: "DB.createDepartures",
		edit:     replace(`IS DISTINCT FROM r.schedule_revision`, `IS NULL`),
		killedBy: []suite{tests("./persistence/postgres", "TestSchedules$/DepartureNeedsItsSchedule")},
	},
	{
		name: "departure-restored-at-any-epoch", pkg: "persistence/postgres", decl: "DB.createDepartures",
		edit:     replace(`WHEN coalesce(p.epoch, 0) + 1 <> r.epoch THEN 'fenced'`, ``),
		killedBy: []suite{tests("./persistence/postgres", "TestSchedules$/DepartureFollowsTheEpoch")},
	},
	{
		name: "departure-created-twice", pkg: "persistence/postgres", decl: "DB.createDepartures",
		edit:     replace(`WHERE trains.deleted_at IS NOT NULL AND trains.epoch + 1 = excluded.epoch`, ``),
		killedBy: []suite{tests("./persistence/postgres", "DepartureIsCreatedOnce")},
	},
	{
		name: "train-beside-a-schedule", pkg: "persistence/postgres", decl: "DB.CreateTrain",
		edit:     replace(`$2 = 0 AND EXISTS`, `false AND EXISTS`),
		killedBy: []suite{tests("./persistence/postgres", "TrainAndScheduleAreNotCreated")},
	},
	{
		name: "unknown-is-failed", pkg: "persistence/postgres", decl: "translateCommit",
		edit:     replace(`persistence.ErrUnknown`, `persistence.ErrConflict`),
		killedBy: []suite{tests("./persistence/postgres", "CancelledWriteIsUnknown")},
	},
	{
		name: "hold-without-lease", pkg: "persistence/redis", decl: "putHold",
		edit:     replace(`fence + `, ``),
		killedBy: []suite{tests("./persistence/redis", "TestHolds$/AdoptFences")},
	},
	{
		name: "lease-taken-from-its-owner", pkg: "persistence/redis", decl: "acquireLease",
		edit:     replace(`redis.call('GET', KEYS[1])`, `false`),
		killedBy: []suite{tests("./persistence/redis", "TestLeases$/HeldLease")},
	},
	{
		name: "lease-renewed-by-anyone", pkg: "persistence/redis", decl: "renewLease",
		edit:     replace(`fence + `, ``),
		killedBy: []suite{tests("./persistence/redis", "TestLeases$/RenewalReportsLost")},
	},
	{
		name: "lease-released-by-anyone", pkg: "persistence/redis", decl: "releaseLease",
		edit:     replace(`fence + `, ``),
		killedBy: []suite{tests("./persistence/redis", "TestLeases$/LeaseIsReleasedOnly")},
	},
	{
		name: "departure-of-a-changed-schedule", pkg: "persistence/sqlite", decl: "liveSchedule",
		edit:     replace(`.Revision != revision`, `.Revision < 0`),
		killedBy: []suite{tests("./persistence/sqlite", "TestSchedules$/DepartureNeedsItsSchedule")},
	},
	{
		name: "stations-change-under-passengers", pkg: "booking", decl: "Taken.AllowsStations",
		edit:     replace(`n == 0 || train.SameStations(to)`, `true`),
		killedBy: []suite{tests("./booking", "Follow|Change")},
	},
	{
		name: "late-change-of-a-schedule", pkg: "actors/activation", decl: "Follow.run",
		edit:     replace(`m.seats.Train().Follows != x.From`, `false`),
		killedBy: []suite{machine},
	},
	{
		name: "late-deletion-of-a-schedule", pkg: "actors/activation", decl: "Delete.run",
		edit:     replace(`x.Follows != 0 && x.Follows != m.seats.Train().Follows`, `false`),
		killedBy: []suite{machine},
	},
	{
		name: "cancelled-departure-is-sold-again", pkg: "actors", decl: "System.DeleteTrain",
		edit:     replace(`Cancels: isDeparture(id)`, `Cancels: false`),
		killedBy: []suite{tests("./actors", "AsIfEveryDeparture")},
	},
	{
		name: "nobody-finishes-a-change", pkg: "actors", decl: "System.settleOwn",
		edit:     begin(`return`),
		killedBy: []suite{tests("./actors", "FollowAfterTheProcess")},
	},
	{
		name: "response-before-the-write", pkg: "actors/activation", decl: "Machine.writeHold",
		edit:     begin(`then(nil); then = func(error) {}`),
		killedBy: []suite{simulated, tests("./actors", "WriteWithUnknownOutcome")},
	},
	{
		name: "sale-that-failed-is-booked", pkg: "actors/activation", decl: "Machine.confirmed",
		edit:     replace(`m.seats.ConfirmFailed(id)`, `m.seats.Booked(id, b)`),
		killedBy: []suite{simulated},
	},
	{
		name: "unknown-write-is-failed", pkg: "actors/activation", decl: "Machine.contradicts",
		edit:     replace(`case errors.Is(err, persistence.ErrUnknown):`, `case false:`),
		killedBy: []suite{simulated},
	},
	{
		name: "conflict-without-end", pkg: "actors/activation", decl: "Machine.failed",
		edit:     replace(`conflict && c.Conflicts > 0`, `false`),
		killedBy: []suite{machine},
	},
	{
		name: "cancelled-while-its-hold-is-stored", pkg: "actors/activation", decl: "Machine.checkCancel",
		edit:     replace(`hold, stored := m.booked[id]`, `hold, stored := m.booked[uuid.Nil]`),
		killedBy: []suite{simulated},
	},
	{
		name: "holds-not-restored", pkg: "actors/activation", decl: "Machine.trainRead",
		edit:     replace(`Holds: m.load.holds`, `Holds: nil`),
		killedBy: []suite{simulated},
	},
	{
		name: "seats-without-bookings-are-free", pkg: "actors/activation", decl: "Machine.trainRead",
		edit:     replace(`Seats: l.Seats`, `Seats: nil`),
		killedBy: []suite{machine},
	},
	{
		name: "holds-end-early", pkg: "actors/activation", decl: "Machine.expire",
		edit:     begin(`now = now.Add(700 * time.Millisecond)`),
		killedBy: []suite{simulated},
	},
	{
		name: "requests-served-while-loading", pkg: "actors/activation", decl: "Machine.loadStep",
		edit:     replace(`case m.state == Loading:`, `default:`),
		killedBy: []suite{machine},
	},
	{
		name: "change-does-not-wait", pkg: "actors/activation", decl: "Machine.quiesce",
		edit:     begin(`then(); return`),
		killedBy: []suite{machine},
	},
	{
		name: "halts-with-a-write-in-flight", pkg: "actors/activation", decl: "Machine.advance",
		edit:     replace(`m.state == Halting && m.inFlight == 0`, `m.state == Halting`),
		killedBy: []suite{machine},
	},
	{
		name: "history-ignored", pkg: "actors/activation", decl: "Machine.needHistory",
		edit:     begin(`return false`),
		killedBy: []suite{simulated},
	},
	{
		name: "no-handoff-of-holds", pkg: "actors/activation", decl: "Machine.holdsRead",
		edit:     replace(`m.handoff.Epoch == m.load.epoch`, `false`),
		killedBy: []suite{machine, tests("./actors", "NewEpochAfterRedisWasEmptied")},
	},
	{
		name: "handoff-after-another-owner", pkg: "actors/activation", decl: "Machine.holdsRead",
		edit:     replace(`m.handoff.Epoch == m.load.epoch`, `true`),
		killedBy: []suite{machine},
	},
	{
		name: "served-after-the-lease", pkg: "actors/activation", decl: "Machine.valid",
		edit:     begin(`return true`),
		killedBy: []suite{simulated},
	},
	{
		name: "lease-without-end", pkg: "cluster", decl: "Term.Valid",
		edit:     begin(`return true`),
		killedBy: []suite{tests("./actors", "OwnerDoesNotRespondAfterItsLeaseTerm"), cluster("")},
	},
	{
		name: "trains-stay-where-they-are", pkg: "actors", decl: "System.handOff",
		edit:     begin(`return nil`),
		killedBy: []suite{tests("./actors", "TrainsMove")},
	},
	{
		name: "late-request-executed", pkg: "actors", decl: "trainsServer.Execute",
		edit:     begin(`q.Arrived, q.Expires = time.Now().UnixMicro(), 0`),
		killedBy: []suite{tests("./actors", "HasTimedOut"), chaos("link silent for long")},
	},
	{
		name: "change-not-announced", pkg: "actors", decl: "System.announce",
		edit:     begin(`return nil`),
		killedBy: []suite{cluster("Changed")},
	},
	{
		name: "evicted-continues", pkg: "cluster", decl: "membership.heartbeat",
		edit:     skip(`evicted`),
		killedBy: []suite{cluster("Paused")},
	},
}
