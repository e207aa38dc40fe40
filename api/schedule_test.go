package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

const nightTrain = `{"name":"Nachtzug","capacity":4,"time_zone":"Europe/Berlin","days":["sat","mon"],
	"from":"2036-01-01","until":"2036-12-31","exceptions":[{"date":"2036-12-24","runs":true}],"stops":[
	{"station":"Berlin","departs":"22:30"},{"station":"Hannover","arrives":"25:05","departs":"25:10"},
	{"station":"Paris","arrives":"32:00","time_zone":"Europe/Paris"}]}`

// schedule creates a schedule.
func (s *testServer) schedule(tb testing.TB, body string) booking.ScheduleID {
	tb.Helper()
	r := s.post(tb, serviceToken, "/v1/schedules", body)
	require.Equal(tb, 201, r.status, r.text)
	id, err := booking.ParseScheduleID(r.str(tb, "id"))
	require.NoError(tb, err)
	return id
}

func schedulePath(id booking.ScheduleID) string { return "/v1/schedules/" + id.String() }

// daily is a schedule that runs each day for a year from now on.
func daily(now time.Time) string {
	return strings.NewReplacer(
		`["sat","mon"]`, `["mon","tue","wed","thu","fri","sat","sun"]`, `,"exceptions":[{"date":"2036-12-24","runs":true}]`, "",
		"2036-01-01", booking.DateOf(now).String(), "2036-12-31", (booking.DateOf(now) + 365).String(),
	).Replace(nightTrain)
}

func TestScheduleIsCreatedFoundAndListed(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	r := s.post(t, serviceToken, "/v1/schedules", nightTrain)
	require.Equal(t, 201, r.status, r.text)
	path := "/v1/schedules/" + r.str(t, "id")
	require.Equal(t, path, r.header.Get("Location"))
	require.Equal(t, []any{"mon", "sat"}, r.field(t, "days"))
	require.EqualValues(t, 60, r.field(t, "sold_days_ahead"))
	require.Equal(t, true, r.field(t, "on_sale"))
	require.Equal(t, map[string]any{"station": "Hannover", "arrives": "25:05", "departs": "25:10"}, r.field(t, "stops").([]any)[1])

	found := s.get(t, "", path)
	require.Equal(t, 200, found.status)
	require.EqualValues(t, 0, found.field(t, "departures_with_sales"))
	require.Equal(t, map[string]any{"count": 0.0, "dates": []any{}}, found.field(t, "diverged"))
	require.NotContains(t, found.text, "next_departure", "sales have not begun")
	require.Equal(t, []any{found.json}, s.get(t, "", "/v1/schedules").field(t, "items"))

	departures := s.get(t, "", path+"/departures?from=2036-12-20&to=2036-12-24")
	require.Equal(t, 200, departures.status, departures.text)
	var dates []any
	for _, item := range departures.field(t, "items").([]any) {
		dates = append(dates, item.(map[string]any)["date"])
	}
	require.Equal(t, []any{"2036-12-20", "2036-12-22", "2036-12-24"}, dates)
	train := departures.field(t, "items").([]any)[0].(map[string]any)["train"].(map[string]any)
	require.Equal(t, "2036-12-20T22:30:00+01:00", train["stops"].([]any)[0].(map[string]any)["departs_at"])
	require.Equal(t, r.str(t, "id"), train["schedule_id"])
	require.Equal(t, "2036-12-20", train["service_date"])
	alone := s.get(t, "", "/v1/trains/"+train["id"].(string))
	require.Equal(t, train, alone.json)
}

func TestInvalidScheduleNamesItsFields(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	change := func(old, new string) string { return strings.Replace(nightTrain, old, new, 1) }
	for _, row := range []struct {
		body   string
		fields []string
	}{
		{`{}`, []string{"name", "capacity", "time_zone", "days", "from", "until", "stops"}},
		{change(`["sat","mon"]`, `["monday"]`), []string{"days"}},
		{change(`["sat","mon"]`, `"sat"`), []string{"days"}},
		{change(`["sat","mon"]`, `[1]`), []string{"days"}},
		{change("Europe/Berlin", "CEST+1"), []string{"time_zone"}},
		{change("Europe/Paris", "Paris"), []string{"stops[2].time_zone"}},
		{change("2036-01-01", "2036-13-01"), []string{"from"}},
		{change("2036-12-31", "2035-12-31"), []string{"until"}},
		{change("2036-12-24", "2037-12-24"), []string{"exceptions[0].date"}},
		{change(`,"runs":true`, ``), []string{"exceptions[0].runs"}},
		{change("25:05", "23:60"), []string{"stops[1].arrives"}},
		{change("25:05", "21:00"), []string{"stops[1].arrives"}},
		{change(`"departs":"22:30"`, `"arrives":"22:30"`), []string{"stops[0].arrives", "stops[0].departs"}},
		{change(`"capacity":4`, `"capacity":4,"sold_days_ahead":731`), []string{"sold_days_ahead"}},
		{change(`"capacity":4`, `"capacity":4,"sold_days_ahead":-1`), []string{"sold_days_ahead"}},
		{change(`"capacity":4`, `"capacity":4,"id":"10d37399-0a4b-8b26-9e0c-6d1f09de0000"`), []string{"id"}},
		{change(`"capacity":4`, `"capacity":4,"colour":"red"`), []string{"colour"}},
	} {
		requireInvalid(t, s.post(t, serviceToken, "/v1/schedules", row.body), row.fields...)
	}
	put := s.do(t, request{method: "PUT", path: "/v1/schedules/10d37399-0a4b-8b26-9e0c-6d1f09de0000", token: serviceToken, body: nightTrain})
	requireInvalid(t, put, "id")
	require.Empty(t, s.get(t, "", "/v1/schedules").field(t, "items"))
	path := schedulePath(s.schedule(t, nightTrain))
	requireInvalid(t, s.get(t, "", path+"/departures?from=yesterday&to=2036"), "from", "to")
	requireInvalid(t, s.get(t, "", path+"/departures?from=2036-02-02&to=2036-02-01"), "to")
	requireInvalid(t, s.do(t, request{method: "DELETE", path: path + "?force=true&retain=true", token: serviceToken}), "retain")
}

func TestScheduleIsCreatedOnceForAKey(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	var bodies []string
	for range 2 {
		r := s.do(t, request{
			method: "POST", path: "/v1/schedules", token: serviceToken, body: nightTrain,
			header: map[string][]string{"Idempotency-Key": {"timetable-2036"}},
		})
		require.Equal(t, 201, r.status, r.text)
		bodies = append(bodies, r.text)
	}
	require.Equal(t, bodies[0], bodies[1])
	require.Len(t, s.get(t, "", "/v1/schedules").field(t, "items"), 1)
}

func TestPassengerBooksADepartureOfTomorrow(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	now := time.Now().In(berlin)
	id := s.schedule(t, daily(now))
	tomorrow := booking.DateOf(now) + 1
	search := func(query string) string {
		r := s.get(t, "", "/train/get-trains/?source=Berlin&destination=Paris"+query)
		require.Equal(t, 200, r.status, r.text)
		return r.text
	}
	require.Contains(t, search("&date="+tomorrow.String()), `"schedule_id":"`+id.String()+`","service_date":"`+tomorrow.String()+`"`)
	require.Contains(t, search(""), id.String(), "the next departure")
	require.Equal(t, `[]`, search("&date=2019-01-01"))
	requireInvalid(t, s.get(t, "", "/train/get-trains/?source=Berlin&destination=Paris&date=tomorrow"), "date")

	token := s.user(t, "asha")
	train := id.Departure(tomorrow)
	locked := s.lock(t, token, train, "3")
	confirmed := s.post(t, token, "/train/confirm-booking/", `{"seat_id":"`+locked.str(t, "seat_id")+`"}`)
	require.Equal(t, 200, confirmed.status, confirmed.text)
	require.Contains(t, search("&date="+tomorrow.String()), `"seat_available":[1,2,4]`)
	listed := s.get(t, "", "/v1/trains?from=berlin&to=paris&date="+tomorrow.String())
	require.EqualValues(t, 1, listed.field(t, "items").([]any)[0].(map[string]any)["booked"])
	require.EqualValues(t, 1, s.get(t, "", schedulePath(id)).field(t, "departures_with_sales"))

	removed := s.do(t, request{method: "DELETE", path: schedulePath(id), token: serviceToken})
	require.Equal(t, 409, removed.status, removed.text)
	require.Equal(t, "has_bookings", removed.str(t, "code"))
	removed = s.do(t, request{method: "DELETE", path: schedulePath(id) + "?retain=true", token: serviceToken})
	require.Equal(t, 204, removed.status, removed.text)
	require.Equal(t, `[]`, search(""))
	booked := s.get(t, token, "/v1/bookings")
	require.Equal(t, "confirmed", booked.field(t, "items").([]any)[0].(map[string]any)["state"])
}
