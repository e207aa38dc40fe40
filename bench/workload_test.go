package bench_test

import (
	"slices"
	"time"

	"trainbooking.dev/bench/report"
	"trainbooking.dev/booking"
)

// workload is one kind of load.
type workload struct {
	name        string
	connections int
	script      string
	servers     []string
	trains      trainSet
	searches    int  // before each lock
	count       int  // seats of a hold
	fresh       bool // each round has trains of its own
	watchers    int  // of the first train
}

// trainSet is the trains of a workload. Routes have perRoute trains each.
type trainSet struct {
	trains, perRoute, capacity int
	legs                       int // of each train, one if it is zero; the peers have no more
	// group and share say in which order seats are asked for (lua/seats.lua). With no share, all
	// trains are one group.
	group, share int
}

const (
	users = 1000
	// A rush, and how long locks are refused afterwards.
	rushSeats   = 1000
	refusedTime = 3 * time.Second
	// rushTime is in which a rush and the refusals must end.
	rushTime = 30 * time.Second
	// In SearchLocking, this many of the 2,000 seats of a route are locked before the next route is
	// searched: so the replies keep most of their length.
	locksOfRoute = 500
)

var (
	everyone = report.Servers
	// searchers are all but peer B, whose search would be that of peer A and a read from Redis more.
	searchers = slices.DeleteFunc(slices.Clone(everyone), func(name string) bool { return name == report.PeerB })
)

// allWorkloads returns the workloads of runs that take so long, with as many trains as all rounds need.
func allWorkloads(total time.Duration) []workload {
	// As fast as this, a run does not end early for want of seats.
	const locksPerSecond, salesPerSecond, searchesPerSecond = 20_000, 8_000, 60_000
	seats := func(trains, perSecond int) int {
		return min(max(int(total.Seconds()*float64(perSecond))/trains, 20), 2_000)
	}
	all := []workload{
		{name: report.Search1x100, connections: 32, trains: trainSet{trains: 1, perRoute: 1, capacity: 100}},
		{name: report.Search20x100, connections: 32, trains: trainSet{trains: 20, perRoute: 20, capacity: 100}},
		{name: report.Search20x1000, connections: 32, trains: trainSet{trains: 20, perRoute: 20, capacity: 1000}},
	}
	for i := range all {
		all[i].script, all[i].servers, all[i].count = "search.lua", searchers, 1
	}
	routes := 1 + int(total.Seconds()*searchesPerSecond/20)/locksOfRoute
	all = append(all, workload{
		name: report.SearchLocking, connections: 32, script: "lock.lua", servers: searchers, searches: 19, count: 1,
		trains: trainSet{trains: routes * 20, perRoute: 20, capacity: 100, group: 20, share: locksOfRoute},
	})
	many, railway := 400, 1000
	if *runTime < time.Second { // it is only a check, and creating trains takes longer than the runs
		many, railway = 40, 100
	}
	for _, n := range []int{2, 32, 128} {
		all = append(all,
			workload{
				name: report.On(report.Lock, n), connections: n, script: "lock.lua", servers: everyone, count: 1,
				trains: trainSet{trains: many, perRoute: 20, capacity: seats(many, locksPerSecond)},
			},
			workload{
				name: report.On(report.Sale, n), connections: n, script: "sale.lua", servers: everyone, count: 1,
				trains: trainSet{trains: many, perRoute: 20, capacity: seats(many, salesPerSecond)},
			})
	}
	for _, n := range []int{32, 500} {
		all = append(all, workload{
			name: report.On(report.Rush, n), connections: n, script: "rush.lua", servers: everyone, count: 1,
			trains: trainSet{trains: 1, perRoute: 1, capacity: rushSeats}, fresh: true,
		})
	}
	for _, n := range []int{0, 1000} {
		all = append(all, workload{
			name: report.On(report.Watched, n), connections: 32, script: "lock.lua", count: 1, fresh: true, watchers: n,
			servers: []string{report.Embedded, report.Clustered, report.Three},
			trains:  trainSet{trains: 1, perRoute: 1, capacity: users * booking.DefaultMaxHolds}, // as many as they may hold
		})
	}
	return append(all,
		workload{
			name: report.Mix, connections: 32, script: "sale.lua", servers: searchers, searches: 27, count: 1,
			trains: trainSet{trains: railway, perRoute: 20, capacity: 100},
		},
		workload{
			name: report.Four, connections: 32, script: "lock.lua", servers: searchers, count: 4,
			trains: trainSet{trains: many, perRoute: 20, capacity: 4 * seats(many, locksPerSecond/2)},
		})
}

func (s trainSet) routes() int { return s.trains / s.perRoute }

// requests returns how many holds of count seats there are for all trains.
func (s trainSet) requests(count int) int {
	if s.share > 0 {
		return s.trains / s.group * s.share
	}
	return s.trains * s.capacity / count
}
