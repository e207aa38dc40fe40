//go:build scale

package scale_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
)

// What a process is to reach with 100,000 trains and a million bookings in its stores, on the
// machine of docs/scaling.md.
const (
	targetStart  = 2 * time.Second
	targetMemory = 200 << 20
	// A reconcile without a change reads no rows. A search is as fast on a route with thousands of
	// departed trains as without them. Sales take as long while others read.
)

func TestEmbedded(t *testing.T) { //nolint:paralleltest // it measures
	dir, secret := t.TempDir(), newSecret(t)
	migrate(t, "--data-dir", dir)
	r := newRailway(*trains, *bookings)
	fillSQLite(t, dir, r.tables(t)...)
	measure(t, r, secret, "", "--data-dir", dir)
}

func TestClustered(t *testing.T) { //nolint:paralleltest // it measures
	database, redis, secret := servers.StartPostgres(t).Address, servers.Redis(t), newSecret(t)
	migrate(t, "--database-url", database)
	r := newRailway(*trains, *bookings)
	fillPostgres(t, database, r.tables(t)...)
	measure(t, r, secret, database,
		"--database-url", database, "--redis-url", "redis://"+redis, "--advertise", processtest.FreeAddress(t))
}

func newSecret(t *testing.T) (file string) {
	t.Helper()
	return processtest.TempFile(t, strings.Repeat("the secret of a test ", 3))
}

func migrate(t *testing.T, store ...string) {
	t.Helper()
	done := processtest.RunToEnd(t, processtest.Command(t, append([]string{"migrate"}, store...)...))
	require.Zero(t, done.Code, done.Err)
}

// report is a table that is printed at the end.
type report struct {
	strings.Builder
	columns *tabwriter.Writer
}

func newReport(title ...any) *report {
	r := &report{}
	r.columns = tabwriter.NewWriter(r, 0, 0, 2, ' ', 0)
	r.add(fmt.Sprint(title...), "measured", "target")
	return r
}

func (r *report) add(what, measured, target string) {
	_, _ = fmt.Fprintf(r.columns, "%s\t%s\t%s\n", what, measured, target)
}

func (r *report) addLatencies(what string, l latencies, target string) {
	r.add(what, fmt.Sprintf("p50 %s, p99 %s", round(l.at(0.5)), round(l.at(0.99))), target)
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }

func megabytes(bytes int) string { return fmt.Sprintf("%d MiB", bytes>>20) }

// measure starts a process on filled stores, measures it and prints a table.
func measure(t *testing.T, r *railway, secret, database string, args ...string) {
	t.Helper()
	table := newReport(t.Name(), ", ", len(r.trains), " trains, ", r.bookings, " bookings")
	s := &service{
		T: t, railway: r, database: database,
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: readers}, Timeout: processtest.Timeout},
	}
	s.measureStarts(table, append(args, "--jwt-secret-file", secret)...)
	s.client = processtest.Passengers(t, s.process.URL, secret, &processtest.Client{})
	s.measureIdle(table)
	s.measureReads(table)
	s.measureSales(table)
	s.measureAdoption(table)
	table.add("memory after all", fmt.Sprintf("%s, peak %s", megabytes(s.process.Memory()), megabytes(s.process.PeakMemory())), "")
	require.NoError(t, table.columns.Flush())
	t.Logf("\n%s", table)
	s.process.Stop()
}

// measureStarts starts a process several times, the first time just after the stores were filled.
func (s *service) measureStarts(table *report, args ...string) {
	s.Helper()
	for i := range starts {
		launched := time.Now()
		s.process = processtest.Start(s.T, args...)
		took := s.awaitReady(launched)
		table.add(fmt.Sprintf("ready after start %d", i+1), round(took).String(), targetStart.String())
		if i+1 < starts {
			s.process.Stop()
		}
	}
}

func (s *service) measureIdle(table *report) {
	if s.database == "" {
		<-time.After(settleTime)
	} else {
		<-time.After(reportTime)
		rows, transactions := s.rowsRead()
		<-time.After(idleTime)
		rowsAfter, transactionsAfter := s.rowsRead()
		table.add(fmt.Sprintf("rows of trains read in %s idle", idleTime), fmt.Sprint(rowsAfter-rows), "0")
		table.add("transactions in that time", fmt.Sprint(transactionsAfter-transactions), "")
		assert.Zero(s, rowsAfter-rows, "a reconcile without a change reads rows")
	}
	table.add("memory, idle", megabytes(s.process.Memory()), megabytes(targetMemory))
}

func (s *service) measureReads(table *report) {
	n := 200
	station := stationsOf(1)
	for _, route := range []struct{ what, from, to string }{
		{"search", station(1), station(3)},
		{"search, with departed trains", departedFrom, departedTo},
	} {
		first, _ := s.repeat(1, searchPath(route.from, route.to))
		table.add(route.what+", the first", round(first[0]).String(), "")
		l, size := s.repeat(n, searchPath(route.from, route.to))
		table.addLatencies(fmt.Sprintf("%s, %d kB", route.what, size>>10), l, "alike")
		require.Greater(s, size, int64(1000), "it found trains")
	}
	l, size := s.repeat(n/10, listQuery)
	table.addLatencies(fmt.Sprintf("list of 1,000 trains, %d kB", size>>10), l, "")
}

func (s *service) measureSales(table *report) {
	s.sell(*saleTime / 5) // activates the trains
	alone := s.sell(*saleTime)
	table.addLatencies(fmt.Sprintf("sale (%d)", len(alone.took)), alone.took, "")
	assert.Empty(s, sample(alone.failed), "sales failed")
	var disturbed *sales
	lists, refused := s.whileReading(func() { disturbed = s.sell(*saleTime) })
	table.addLatencies(fmt.Sprintf("sale while %d clients list trains (%d)", readers, len(disturbed.took)),
		disturbed.took, "p99 unchanged")
	table.add("failed of these", fmt.Sprint(len(disturbed.failed)), "0")
	table.add("their lists of 1,000 trains", fmt.Sprintf("%d, %d refused", lists, refused), "")
	assert.Empty(s, sample(disturbed.failed), "sales failed while clients listed trains")
}

// sample returns a few of many errors.
func sample(errs []error) []error { return errs[:min(3, len(errs))] }

func (s *service) measureAdoption(table *report) {
	rest := s.trains[*trains/10 : *trains]
	count := min(10_000, len(rest))
	perSecond, failed := s.lockEach(rest[:count])
	table.add(fmt.Sprintf("%d idle trains locked by %d clients", count, lockers),
		fmt.Sprintf("%.0f/s, %d failed", perSecond, len(failed)), "(BenchmarkActivate has no HTTP)")
	// Too many at a time may be refused, unexecuted.
	require.Less(s, len(failed), count, "no train can be adopted: %v", sample(failed))
}
