//go:build scale

package scale_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
)

// timetable has schedules that are sold for days ahead, with the routes of the trains of a railway.
type timetable struct {
	schedules []booking.Schedule
	today     booking.Date
}

const timetableZone = "Europe/Berlin"

func newTimetable(count int) *timetable {
	now := time.Now().UTC().Truncate(time.Minute)
	w := &timetable{today: booking.DateOf(now)}
	for i := range count {
		station := stationsOf(i)
		schedule := booking.Schedule{
			ID: booking.DerivedScheduleID(fmt.Sprint("scale ", i)), Name: fmt.Sprintf("Express %05d", i), Capacity: 500 + i*37%501,
			OnSale: true, TimeZone: timetableZone, SoldDaysAhead: days,
			Calendar:  booking.Calendar{Days: booking.EveryDay, From: w.today - 1, Until: w.today + 200},
			CreatedAt: now.Add(time.Duration(i) * time.Millisecond), UpdatedAt: now,
		}
		if i%3 == 0 {
			schedule.Exceptions = []booking.Exception{{Date: w.today + 10}, {Date: w.today + 20}}
		}
		leaves := spread(i, 24*time.Hour)
		for stop := range 8 + i%5 {
			at := leaves + time.Duration(stop)*50*time.Minute
			schedule.Stops = append(schedule.Stops, booking.StopTime{
				Station: station(stop), Arrives: booking.LocalTimeOf(at), Departs: booking.LocalTimeOf(at + 5*time.Minute),
			})
		}
		schedule.Stops[0].Arrives, schedule.Stops[len(schedule.Stops)-1].Departs = booking.LocalTime{}, booking.LocalTime{}
		w.schedules = append(w.schedules, schedule)
	}
	return w
}

func (w *timetable) table(t *testing.T) table {
	t.Helper()
	definition := func(s booking.Schedule) string {
		text, err := persistence.EncodeSchedule(&s)
		require.NoError(t, err)
		return text
	}
	const columns = "id, definition, created_at, updated_at, retires_at, revision, defined"
	var postgresRevision, sqliteRevision int // negative, because the next revision of an empty store is 1
	return rows("schedules", columns, slices.Values(w.schedules), func(s booking.Schedule) string {
		postgresRevision--
		return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%d\t%d", s.ID, definition(s), s.CreatedAt.Format(micro), s.UpdatedAt.Format(micro),
			persistence.EncodeScheduleRetirement(&s).Format(micro), postgresRevision, postgresRevision)
	}, func(s booking.Schedule) []any {
		sqliteRevision--
		return []any{
			s.ID[:], definition(s), s.CreatedAt.UnixMicro(), s.UpdatedAt.UnixMicro(),
			persistence.EncodeScheduleRetirement(&s).UnixMicro(), sqliteRevision, sqliteRevision,
		}
	})
}

func TestTimetableEmbedded(t *testing.T) { //nolint:paralleltest // it measures
	dir, secret := t.TempDir(), newSecret(t)
	migrate(t, "--data-dir", dir)
	w := newTimetable(*schedules)
	fillSQLite(t, dir, w.table(t))
	w.measure(t, secret, "", "--data-dir", dir)
}

func TestTimetableClustered(t *testing.T) { //nolint:paralleltest // it measures
	database, redis, secret := servers.StartPostgres(t).Address, servers.Redis(t), newSecret(t)
	migrate(t, "--database-url", database)
	w := newTimetable(*schedules)
	fillPostgres(t, database, w.table(t))
	w.measure(t, secret, database,
		"--database-url", database, "--redis-url", "redis://"+redis, "--advertise", processtest.FreeAddress(t))
}

// measure starts a process on filled stores, measures it and prints a table.
func (w *timetable) measure(t *testing.T, secret, database string, args ...string) {
	t.Helper()
	table := newReport(t.Name(), ", ", len(w.schedules), " schedules × ", days, " days")
	s := &service{
		T: t, railway: &railway{}, database: database,
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: readers}, Timeout: processtest.Timeout},
	}
	const token = "a-service-token-of-forty-characters-0001"
	s.measureStarts(table, append(args, "--jwt-secret-file", secret, "--service-token-file", processtest.TempFile(t, token))...)
	s.client = processtest.Passengers(t, s.process.URL, secret, &processtest.Client{Token: token})
	s.measureIdle(table)
	w.measureReads(s, table)
	w.measureChange(s, table)
	w.measureAdoption(s, table)
	table.add("memory after all", fmt.Sprintf("%s, peak %s", megabytes(s.process.Memory()), megabytes(s.process.PeakMemory())), "")
	require.NoError(t, table.columns.Flush())
	t.Logf("\n%s", table)
	s.process.Stop()
}

func (w *timetable) measureReads(s *service, table *report) {
	station := stationsOf(1)
	search := searchPath(station(1), station(3))
	for _, query := range []struct{ what, path string }{
		{"search for the next departures", search},
		{"search for tomorrow", search + "&date=" + (w.today + 1).String()},
		{"search for the last day", search + "&date=" + (w.today + days - 1).String()},
	} {
		first, _ := s.repeat(1, query.path)
		table.add(query.what+", the first", round(first[0]).String(), "")
		l, size := s.repeat(200, query.path)
		table.addLatencies(fmt.Sprintf("%s, %d kB", query.what, size>>10), l, "alike")
		require.Greater(s, size, int64(1000), "it found departures")
	}
	l, size := s.repeat(10, "/v1/schedules?limit=1000")
	table.addLatencies(fmt.Sprintf("list of 1,000 schedules, %d kB", size>>10), l, "")
	path := "/v1/schedules/" + w.schedules[0].ID.String() + "/departures?" + url.Values{"limit": {"60"}}.Encode()
	l, size = s.repeat(20, path)
	table.addLatencies(fmt.Sprintf("60 departures of a schedule, %d kB", size>>10), l, "")
}

// measureAdoption holds a seat of each of many departures, of different schedules and dates, which get
// their rows.
func (w *timetable) measureAdoption(s *service, table *report) {
	var departures []booking.Train
	others := w.schedules[2:] // than the one that was changed
	for i := range min(10_000, days*len(others)/2) {
		schedule := &others[i%len(others)]
		date := w.today + 2 + booking.Date(i/len(others))
		departures = append(departures, schedule.Train(date))
	}
	perSecond, failed := s.lockEach(departures)
	table.add(fmt.Sprintf("%d departures locked for the first time by %d clients", len(departures), lockers),
		fmt.Sprintf("%.0f/s, %d failed", perSecond, len(failed)), "")
	require.Less(s, len(failed), len(departures), "no departure can be adopted: %v", sample(failed))
	for _, err := range sample(failed) {
		s.Log(err)
	}
}

// measureChange changes a schedule of which every departure has a row.
func (w *timetable) measureChange(s *service, table *report) {
	schedule := w.schedules[1]
	var departures []booking.Train
	for date := range schedule.Departures(w.today+1, w.today+days-1) {
		departures = append(departures, schedule.Train(date))
	}
	_, failed := s.lockEach(departures)
	assert.Empty(s, sample(failed))
	schedule.Name = "Changed"
	begun := time.Now()
	_, _, err := s.client.PutSchedule(s.Context(), schedule)
	table.add(fmt.Sprintf("change of a schedule with %d departures under way", len(departures)), round(time.Since(begun)).String(), "")
	assert.NoError(s, err)
}
