package bench_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/bench/cpu"
	"trainbooking.dev/bench/growth"
	"trainbooking.dev/bench/report"
	"trainbooking.dev/booking"
)

const (
	// The trains that are searched and locked are as many at each size.
	growingTrains, growingSeats = 100, 1000
	growthConnections           = 32
	// settleTime is how long a process needs after its start to give memory back.
	settleTime = 3 * time.Second
	// trusted is the share of the processors up to which others do not matter.
	trusted = 0.15
)

// growths are the sizes that are compared.
type growths struct{ trains, seats, legs, segments []int }

func allGrowths() growths {
	if *runTime < time.Second { // it is only a check
		return growths{[]int{100, 300}, []int{1000}, []int{booking.MaxLegs}, []int{50}}
	}
	return growths{[]int{100, 10_000, 100_000}, []int{100, 1000, booking.MaxCapacity}, []int{1, 20, booking.MaxLegs}, []int{1, 50, 500}}
}

// subject is the trains that are measured at one size, on a server that may have others.
type subject struct {
	*server
	*fixture
}

// TestGrowth measures the embedded service at several sizes of what it has.
func TestGrowth(t *testing.T) { //nolint:paralleltest // it measures
	began := time.Now()
	b, of := newBench(t, nil), allGrowths()
	axes := b.growTrains(t, of.trains)
	s := b.startServer(t, report.Embedded)
	axes = append(axes, b.growSeats(t, s, of.seats), b.growLegs(t, s, of.legs), b.growSegments(t, s, of.segments))
	folder := *plots
	if folder == "" {
		folder = t.TempDir()
	}
	name := filepath.Join(folder, "growth.svg")
	file, err := os.Create(name)
	require.NoError(t, err)
	require.NoError(t, growth.Plot(file, axes))
	require.NoError(t, file.Close())
	lines := growth.Defects(axes)
	if b.disturbed > trusted {
		lines = append(lines, fmt.Sprintf("Others took up to %.0f %% of the processors, so these figures are not to be trusted.", b.disturbed*100))
	}
	t.Logf("%s\n\n%s%s\nThe plots are in %s. It took %s.", strings.Join(machine(t), "\n"), growth.Table(axes),
		strings.Join(append(lines, ""), "\n"), name, time.Since(began).Round(time.Second))
}

// growTrains measures the same requests beside ever more other trains, and the memory.
func (b *bench) growTrains(t *testing.T, sizes []int) []growth.Axis {
	t.Helper()
	memory := growth.Axis{Name: "trains", Unit: "MB", Sizes: sizes, Figures: []growth.Figure{{Name: "memory"}}}
	further := growth.Axis{Name: "trains", Unit: "kB", Sizes: sizes[1:], Figures: []growth.Figure{{Name: "memory of a further train"}}}
	subjects := make([]subject, len(sizes))
	ends := make([]func(), len(sizes))
	for i, n := range sizes {
		dir := t.TempDir()
		f := b.addTrains(t, dir, n)
		s := b.newServer(report.Embedded)
		ends[i] = b.startEmbedded(t, s, dir)
		<-time.After(min(settleTime, *runTime))
		bytes, err := cpu.Memory(s.processes[0])
		require.NoError(t, err)
		memory.Figures[0].Add(float64(bytes)/1e6, float64(n))
		if i > 0 {
			more := float64(bytes)/1e3 - memory.Figures[0].Values[i-1]*1e3
			further.Figures[0].Add(more/float64(n-sizes[i-1]), 1)
		}
		subjects[i] = subject{s, f}
	}
	requests := growth.Axis{Name: "trains", Sizes: sizes}
	b.measureRequests(t, &requests, subjects, "search.lua", "lock.lua")
	for _, end := range ends {
		end()
	}
	return []growth.Axis{requests, memory, further}
}

// addTrains creates so many trains in a directory, and returns those of them that are to be measured.
// The service is stopped afterwards, because creating trains leaves garbage in its memory.
func (b *bench) addTrains(t *testing.T, dir string, trains int) *fixture {
	t.Helper()
	began := time.Now()
	s := b.newServer(report.Embedded)
	stop := b.startEmbedded(t, s, dir)
	f := b.prepare(t, s, "growth", trainSet{trains: growingTrains, perRoute: 1, capacity: growingSeats})
	b.prepare(t, s, "growth, the others", trainSet{trains: trains - growingTrains, perRoute: 20, capacity: growingSeats})
	stop()
	t.Logf("%d trains took %s to create", trains, time.Since(began).Round(time.Second))
	return f
}

func (b *bench) growSeats(t *testing.T, s *server, sizes []int) growth.Axis {
	t.Helper()
	// So many trains that the smallest have enough seats for all rounds.
	const locksPerSecond = 20_000
	total := warmUp + *runTime*time.Duration(*rounds)
	trains := max(growingTrains, int(total.Seconds()*locksPerSecond)/sizes[0])
	a := growth.Axis{Name: "seats of a train", Sizes: sizes}
	var subjects []subject
	for _, n := range sizes {
		f := b.prepare(t, s, fmt.Sprintf("growth, %d seats", n), trainSet{trains: trains, perRoute: 1, capacity: n})
		subjects = append(subjects, subject{s, f})
	}
	b.measureRequests(t, &a, subjects, "search.lua", "lock.lua")
	return a
}

func (b *bench) growLegs(t *testing.T, s *server, sizes []int) growth.Axis {
	t.Helper()
	a := growth.Axis{Name: "legs of a train", Sizes: sizes}
	var subjects []subject
	for _, n := range sizes {
		set := trainSet{trains: growingTrains, perRoute: 1, capacity: growingSeats, legs: n}
		subjects = append(subjects, subject{s, b.prepare(t, s, fmt.Sprintf("growth, %d legs", n), set)})
	}
	b.measureRequests(t, &a, subjects, "search.lua", "lock.lua")
	return a
}

// growSegments measures searches of one train for ever more different segments of its journey. It has
// the most seats, because what a search does for a segment grows with them.
func (b *bench) growSegments(t *testing.T, s *server, sizes []int) growth.Axis {
	t.Helper()
	a := growth.Axis{Name: "segments of the largest train", Sizes: sizes}
	var subjects []subject
	for _, n := range sizes {
		of := fmt.Sprintf("growth, %d segments", n)
		f := b.prepare(t, s, of, trainSet{trains: 1, perRoute: 1, capacity: booking.MaxCapacity, legs: booking.MaxLegs})
		f.paths = b.file(t, strings.Join(segmentPaths(stops(of, 0, booking.MaxLegs))[:n], "\n")+"\n")
		subjects = append(subjects, subject{s, f})
	}
	b.measureRequests(t, &a, subjects, "search.lua")
	return a
}

// segmentPaths returns the paths of searches for each segment between two stops, the longest first.
func segmentPaths(stops []map[string]string) (paths []string) {
	for length := len(stops) - 1; length > 0; length-- {
		for i := range len(stops) - length {
			paths = append(paths, "/train/get-trains/?"+url.Values{
				"source": {stops[i]["station"]}, "destination": {stops[i+length]["station"]},
			}.Encode())
		}
	}
	return paths
}

// measureRequests adds the processor time that the requests of scripts take at each size, in rounds, in
// which the sizes take turns. It is the lowest of the rounds, because what else the machine does only
// adds to it. The work of a search is its reply; a lock has the same work on all trains.
func (b *bench) measureRequests(t *testing.T, a *growth.Axis, subjects []subject, scripts ...string) {
	t.Helper()
	a.Unit = "µs of processor time"
	for _, script := range scripts {
		name := strings.TrimSuffix(script, ".lua")
		lowest := make([]report.Sample, len(subjects))
		for round := range *rounds + 1 {
			for i, of := range subjects {
				w := &workload{name: fmt.Sprintf("%s, %d %s", name, a.Sizes[i], a.Name), connections: growthConnections, script: script, count: 1}
				of.fixtures[w.name] = of.fixture
				if round == 0 {
					b.run(t, w, of.server, min(warmUp, *runTime))
					continue
				}
				m := b.run(t, w, of.server, *runTime)
				b.disturbed = max(b.disturbed, m.Others)
				t.Logf("%s: %.0f µs, %.0f requests/s, others took %.0f %% of the processors", w.name, m.Server.Seconds()*1e6, m.Rate, m.Others*100)
				if round == 1 || m.Server < lowest[i].Server {
					lowest[i] = m
				}
			}
		}
		f := growth.Figure{Name: name}
		for _, m := range lowest {
			work := 1.0
			if script == "search.lua" {
				work = m.Bytes
			}
			f.Add(m.Server.Seconds()*1e6, work)
		}
		a.Figures = append(a.Figures, f)
	}
}
