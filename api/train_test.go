package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/sqlite"
)

const shatabdi = `{"name":"Shatabdi","capacity":10,"stops":[
	{"station":"Delhi","departs_at":"2036-12-01T06:00:00+05:30"},
	{"station":"Jaipur","arrives_at":"2036-12-01T10:30:00+05:30","departs_at":"2036-12-01T10:40:00+05:30"},
	{"station":"Mumbai","arrives_at":"2036-12-02T04:00:00+05:30"}]}`

func TestAddedTrainIsFound(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	body := `{"train_name":" Duranto  Express ","source":"Jaipur","destination":"Mumbai","train_capacity":10}`
	r := s.post(t, s.admin(t), "/train/add-train/", body)
	require.Equal(t, 200, r.status, r.text)
	require.Equal(t, "Train added successfully", r.str(t, "message"))
	require.Equal(t, `[{"train_id":"`+r.str(t, "train_id")+`","train_name":"Duranto  Express","train_capacity":10,`+
		`"remaining_capacity":10,"is_full":false,"source":"Jaipur","destination":"Mumbai",`+
		`"seat_available":[1,2,3,4,5,6,7,8,9,10]}]`, s.get(t, "", "/train/get-trains/?source=jaipur&destination=MUMBAI").text)
}

func TestInvalidAddTrainNamesItsFields(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	all := []string{"train_name", "source", "destination", "train_capacity"}
	for _, row := range []struct {
		body   string
		fields []string
	}{
		{`{}`, all},
		{`{"train_name":1,"source":[],"destination":{},"train_capacity":"5"}`, all},
		{`{"train_name":"","source":" ","destination":"\u0000","train_capacity":0}`, all},
		{trainOf(`"a"`, `"Delhi"`, `"delhi "`, `5`), []string{"destination"}},
		{trainOf(`"a"`, `"R\u00e9"`, `"Re\u0301"`, `5`), []string{"destination"}},
		{trainOf(`"a"`, `"`+strings.Repeat("x", 256)+`"`, `"b"`, `5`), []string{"source"}},
		{trainOf(`"a"`, `"b"`, `"c"`, `20001`), []string{"train_capacity"}},
		{strings.Replace(trainOf(`"a"`, `"b"`, `"c"`, `5`), `{`, `{"id":1,`, 1), []string{"id"}},
	} {
		requireInvalid(t, s.post(t, serviceToken, "/train/add-train/", row.body), row.fields...)
	}
	require.Empty(t, s.get(t, "", "/v1/trains").field(t, "items"))
}

// unseenNames are names that were accepted once.
var unseenNames = []string{
	"\u3164", "\u2800", "\u115f", "\uffa0", "\u200c", "w1\u034f", "w1\ufe0f", "w1\u200d", "a\u2028b", "a\ue000", "a\u0378", "a\uffff",
}

func jsonString(s string) string {
	text, _ := json.Marshal(s) // cannot fail
	return string(text)
}

func TestNameThatCannotBeSeenIsNotGivenToATrainOrStation(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	put := "/v1/trains/" + s.train(t, "Delhi", "Mumbai").String()
	for _, name := range unseenNames {
		name = jsonString(name)
		r := s.post(t, serviceToken, "/train/add-train/", trainOf(name, name, `"Agra"`, `0`))
		requireInvalid(t, r, "train_name", "source", "train_capacity")
		r = s.post(t, serviceToken, "/train/add-train/", trainOf(`"a"`, `"Agra"`, name, `5`))
		requireInvalid(t, r, "destination")
		body := `{"name":` + name + `,"capacity":5,"stops":[{"station":"Agra"},{"station":` + name + `}]}`
		requireInvalid(t, s.post(t, serviceToken, "/v1/trains", body), "name", "stops[1].station")
		for _, path := range []string{put, "/v1/trains/" + booking.NewTrainID().String()} {
			r := s.do(t, request{method: "PUT", path: path, token: serviceToken, body: body})
			requireInvalid(t, r, "name", "stops[1].station")
		}
	}
	require.Len(t, s.get(t, "", "/v1/trains").field(t, "items"), 1)
}

func TestTrainWithANameThatIsRefusedNowIsFoundAndChanged(t *testing.T) {
	t.Parallel()
	train := booking.Train{
		ID: booking.NewTrainID(), Name: "\u3164", Capacity: 5, OnSale: true, CreatedAt: time.Now().UTC().Truncate(time.Second),
		Stops: []booking.Stop{{Station: "Agra\u034f"}, {Station: "a\u2028b"}, {Station: "Agra"}},
	}
	s := newTestServer(t, func(o *api.Options, _ *booking.HoldRules) {
		require.NoError(t, o.Users.(*sqlite.DB).CreateTrain(t.Context(), train))
	})
	query := url.Values{"source": {"agra\u034f"}, "destination": {"A\u2028B"}}
	r := s.get(t, "", "/train/get-trains/?"+query.Encode())
	require.Len(t, r.json, 1, r.text)
	seats := s.get(t, "", "/v1/trains/"+train.ID.String()+"/seats?"+url.Values{"from": {"Agra\u034f"}, "to": {"Agra"}}.Encode())
	require.Equal(t, 200, seats.status, seats.text)
	s.lock(t, s.user(t, "asha"), train.ID, "5")
	put := func(name, last string) response {
		return s.do(t, request{
			method: "PUT", path: "/v1/trains/" + train.ID.String(), token: serviceToken,
			body: `{"name":` + jsonString(name) + `,"capacity":9,"on_sale":false,"stops":[
				{"station":"Agra\u034f"},{"station":"a\u2028b"},{"station":` + jsonString(last) + `}]}`,
		})
	}
	r = put("\u3164", "Agra")
	require.Equal(t, 200, r.status, r.text)
	require.Equal(t, false, r.field(t, "on_sale"))
	requireInvalid(t, put("\u3164\u3164", "Agra\ufe0f"), "name", "stops[2].station")
}

func trainOf(name, source, destination, capacity string) string {
	return fmt.Sprintf(`{"train_name":%s,"source":%s,"destination":%s,"train_capacity":%s}`, name, source, destination, capacity)
}

// See API.md 3.
func TestOnlyIntegerLiteralsAreNumbers(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for _, capacity := range []string{
		`"5"`, `5.5`, `5.0`, `1e1`, `1e99`, `null`, `true`, `-1`, `0`, `-0`, `99999999999999999999`, `[5]`, `{}`,
	} {
		requireInvalid(t, s.post(t, serviceToken, "/train/add-train/", trainOf(`"a"`, `"b"`, `"c"`, capacity)), "train_capacity")
	}
}

func TestTrainWithStopsIsCreatedFoundAndListed(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	r := s.post(t, serviceToken, "/v1/trains", shatabdi)
	require.Equal(t, 201, r.status, r.text)
	require.Equal(t, "/v1/trains/"+r.str(t, "id"), r.header.Get("Location"))
	require.Equal(t, true, r.field(t, "on_sale"))
	require.Equal(t, map[string]any{
		"station": "Jaipur", "arrives_at": "2036-12-01T10:30:00+05:30", "departs_at": "2036-12-01T10:40:00+05:30",
	}, r.field(t, "stops").([]any)[1], "a stop keeps its own UTC offset")

	found := s.get(t, "", r.header.Get("Location"))
	require.Equal(t, 200, found.status)
	for field, count := range map[string]float64{"booked": 0, "held": 0, "available": 10, "capacity": 10} {
		require.Equal(t, count, found.field(t, field))
	}
	listed := s.get(t, "", "/v1/trains")
	require.Equal(t, []any{found.json}, listed.field(t, "items"))
}

func TestInvalidTrainNamesItsFields(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	with := func(stops string) string { return `{"name":"a","capacity":5,"stops":` + stops + `}` }
	for _, row := range []struct {
		body   string
		fields []string
	}{
		{`{}`, []string{"name", "capacity", "stops"}},
		{with(`null`), []string{"stops"}},
		{with(`{}`), []string{"stops"}},
		{with(`[]`), []string{"stops"}},
		{with(`[{"station":"a"}]`), []string{"stops"}},
		{with(`["a","b"]`), []string{"stops[0]", "stops"}},
		{with(`[{},{"station":"b","platform":4}]`), []string{"stops[0].station", "stops[1].platform"}},
		{with(`[{"station":"a"},{"station":"A"}]`), []string{"stops[1].station"}},
		{with(`[{"station":"a","departs_at":"2036-12-01T06:00:00Z"},{"station":"b","arrives_at":"2036-12-01T05:00:00Z"}]`), []string{"stops[1].arrives_at"}},
		{with(`[{"station":"a","departs_at":"tomorrow"},{"station":"b","arrives_at":1}]`), []string{"stops[0].departs_at", "stops[1].arrives_at"}},
		{with(`[{"station":"a","departs_at":"2036-12-01T00:00:00+24:00"},{"station":"b"}]`), []string{"stops[0].departs_at"}},
		{with(`[{"station":"a","departs_at":"2036-12-01T00:00:00+23:60"},{"station":"b"}]`), []string{"stops[0].departs_at"}},
		{with(`[{"station":"a","departs_at":"2036-12-01T00:00:00,5Z"},{"station":"b"}]`), []string{"stops[0].departs_at"}},
		{with(`[{"station":"a","departs_at":"2036-12-01T6:00:00Z"},{"station":"b"}]`), []string{"stops[0].departs_at"}},
		{with(`[{"station":"a","departs_at":"0001-01-01T00:00:00Z"},{"station":"b"}]`), []string{"stops[0].departs_at"}},
		{with(`[` + strings.Repeat(`{"station":"a"},`, 64) + `{"station":"b"}]`), []string{"stops"}},
		{`{"name":"a","capacity":5,"on_sale":"yes","stops":[{"station":"a"},{"station":"b"}]}`, []string{"on_sale"}},
		{`{"name":"a","capacity":5,"stops":[{"station":"a"},{"station":"b"}],"booked":0}`, []string{"booked"}},
		{`{"id":5,"name":"a","capacity":5,"stops":[{"station":"a"},{"station":"b"}]}`, []string{"id"}},
		{`{"id":"x","name":"a","capacity":5,"stops":[{"station":"a"},{"station":"b"}]}`, []string{"id"}},
		{`{"id":"10d37399-0000-4000-8000-4d2a8c5b0001","name":"a","capacity":5,"stops":[{"station":"a"},{"station":"b"}]}`, []string{"id"}},
	} {
		requireInvalid(t, s.post(t, serviceToken, "/v1/trains", row.body), row.fields...)
	}
	requireInvalid(t, s.post(t, serviceToken, "/v1/trains?name=b", shatabdi), "query")
}

func TestTrainIsCreatedOnceUnderAnIDOfTheClient(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	id := booking.NewTrainID().String()
	body := strings.Replace(shatabdi, "{", `{"id":"`+id+`",`, 1)
	r := s.post(t, serviceToken, "/v1/trains", body)
	require.Equal(t, 201, r.status, r.text)
	require.Equal(t, id, r.str(t, "id"))
	require.Equal(t, "/v1/trains/"+id, r.header.Get("Location"))
	require.Equal(t, r.str(t, "created_at"), r.str(t, "updated_at"))
	requireProblem(t, 409, booking.CodeAlreadyExists, "", s.post(t, serviceToken, "/v1/trains", body))
	// With a key too: another client may have created that train.
	keyed := request{method: "POST", path: "/v1/trains", token: serviceToken, body: body, header: http.Header{"Idempotency-Key": {"x"}}}
	requireProblem(t, 409, booking.CodeAlreadyExists, "", s.do(t, keyed))
}

func TestPutCreatesThenChanges(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	id := booking.NewTrainID().String()
	put := func(id, body string) response {
		return s.do(t, request{method: "PUT", path: "/v1/trains/" + id, token: serviceToken, body: body})
	}
	r := put(id, shatabdi)
	require.Equal(t, 201, r.status, r.text)
	require.Equal(t, "/v1/trains/"+id, r.header.Get("Location"))
	again := put(id, shatabdi)
	require.Equal(t, 200, again.status)
	require.Equal(t, r.json, again.json)
	require.Equal(t, "Renamed", put(id, strings.Replace(shatabdi, "Shatabdi", "Renamed", 1)).str(t, "name"))

	requireInvalid(t, put(id[:35]+"1", shatabdi), "id")
	requireInvalid(t, put("00000000-0000-0000-0000-000000000000", shatabdi), "id")
	requireProblem(t, 404, booking.CodeNotFound, "No such train", put("x", shatabdi))
}

func TestSoldSeatsPreventChanges(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Mumbai")
	s.post(t, token, "/train/confirm-booking/", `{"seat_id":"`+s.lock(t, token, id, "7").str(t, "seat_id")+`"}`)
	s.lock(t, token, id, "9")
	do := func(method, query, body string) response {
		return s.do(t, request{method: method, path: "/v1/trains/" + id.String() + query, token: serviceToken, body: body})
	}
	small := do("PUT", "", `{"name":"a","capacity":6,"stops":[{"station":"Delhi"},{"station":"Mumbai"}]}`)
	requireProblem(t, 409, booking.CodeCapacityInUse, "", small)
	require.Equal(t, []any{7.0, 9.0}, small.field(t, "seats"))
	requireProblem(t, 409, booking.CodeHasBookings, "",
		do("PUT", "", `{"name":"a","capacity":10,"stops":[{"station":"Delhi"},{"station":"Pune"}]}`))
	requireProblem(t, 409, booking.CodeHasBookings, "", do("DELETE", "", ""))
	requireInvalid(t, do("DELETE", "?force=1", ""), "force")
	requireInvalid(t, do("DELETE", "?forced=true", ""), "forced")

	require.Equal(t, 204, do("DELETE", "?force=true", "").status)
	requireProblem(t, 404, booking.CodeNotFound, "No such train", s.get(t, "", "/v1/trains/"+id.String()))
	requireProblem(t, 404, booking.CodeNotFound, "No such train", do("DELETE", "", ""))
}

func TestTrainIsSoldFromATimeOn(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	user := s.user(t, "asha")
	body := func(opens string) string {
		return `{"name":"a","capacity":1,"sales_open_at":"` + opens + `","stops":[{"station":"Pune"},{"station":"Goa"}]}`
	}
	r := s.post(t, serviceToken, "/v1/trains", body("2036-12-01T05:30:00.0000001+05:30"))
	const opens = "2036-12-01T00:00:00Z"
	require.Equal(t, opens, r.str(t, "sales_open_at"))
	id := r.str(t, "id")
	require.Equal(t, opens, s.get(t, "", "/v1/trains/"+id).str(t, "sales_open_at"))
	listed := s.get(t, "", "/v1/trains?from=Pune&to=Goa").field(t, "items").([]any)
	require.Equal(t, opens, listed[0].(map[string]any)["sales_open_at"])
	require.Empty(t, s.get(t, "", "/train/get-trains/?source=Pune&destination=Goa").json)
	for path, body := range map[string]string{
		"/v1/holds": `{"train_id":"` + id + `","seats":[1]}`, "/train/book-ticket/": `{"train_id":"` + id + `","seat_number":1}`,
	} {
		r := s.post(t, user, path, body)
		requireProblem(t, 409, booking.CodeNotOnSale, "This train is not on sale yet", r)
		require.Equal(t, opens, r.str(t, "sales_open_at"))
	}
	put := func(body string) response {
		return s.do(t, request{method: "PUT", path: "/v1/trains/" + id, token: serviceToken, body: body})
	}
	require.Nil(t, put(`{"name":"a","capacity":1,"stops":[{"station":"Pune"},{"station":"Goa"}]}`).field(t, "sales_open_at"))
	hold := s.post(t, user, "/v1/holds", `{"train_id":"`+id+`","seats":[1]}`)
	require.Equal(t, opens, put(body(opens)).str(t, "sales_open_at"))
	r = s.post(t, user, "/v1/holds/"+hold.str(t, "hold_id")+"/confirm", "")
	requireProblem(t, 409, booking.CodeNotOnSale, "This train is not on sale yet", r)
	require.Equal(t, opens, r.str(t, "sales_open_at"))
	for _, bad := range []string{"", "tomorrow", "2036-12-01", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00"} {
		requireInvalid(t, put(body(bad)), "sales_open_at")
	}
}

func TestListsOmitDepartedTrainsUnlessAsked(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	var ids []string
	for _, minutes := range []int{-90, 90, 60, 30} {
		leaves := time.Now().Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339)
		r := s.post(t, serviceToken, "/v1/trains",
			`{"name":"a","capacity":1,"stops":[{"station":"Pune","departs_at":"`+leaves+`"},{"station":"Goa"}]}`)
		ids = append(ids, r.str(t, "id"))
	}
	listed := func(path, id string) (found []string) {
		r := s.get(t, "", path)
		items, ok := r.json.([]any)
		if !ok {
			items = r.field(t, "items").([]any)
		}
		for _, item := range items {
			found = append(found, item.(map[string]any)[id].(string))
		}
		return found
	}
	require.Equal(t, []string{ids[3], ids[2], ids[1]}, listed("/v1/trains?from=Pune&to=Goa", "id"))
	require.Equal(t, []string{ids[0], ids[3], ids[2], ids[1]}, listed("/v1/trains?from=Pune&to=Goa&departed=true", "id"))
	require.Equal(t, ids[1:], listed("/v1/trains", "id"))
	require.Equal(t, ids, listed("/v1/trains?departed=true", "id"))
	require.Equal(t, []string{ids[3], ids[2], ids[1]}, listed("/train/get-trains/?source=Pune&destination=Goa", "train_id"))

	page := s.get(t, "", "/v1/trains?from=Pune&to=Goa&limit=1").str(t, "next_cursor")
	require.Equal(t, ids[2:3], listed("/v1/trains?from=Pune&to=Goa&limit=1&cursor="+page, "id"))
	requireInvalid(t, s.get(t, "", "/v1/trains?cursor="+page), "cursor")
}

func TestListSearchesBetweenStationsAndByDate(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.train(t, "Pune", "Goa")
	r := s.post(t, serviceToken, "/v1/trains", shatabdi)
	for query, found := range map[string]int{
		"": 2, "?from=delhi&to=JAIPUR": 1, "?from=Jaipur&to=Delhi": 0, "?from=Delhi&to=Mumbai&date=2036-12-01": 1,
		"?from=Delhi&to=Mumbai&date=2036-12-02": 0, "?limit=1": 1, "?cursor=": 2, "?departed=true": 2, "?departed=false": 2,
	} {
		require.Len(t, s.get(t, "", "/v1/trains"+query).field(t, "items"), found, query)
	}
	page := s.get(t, "", "/v1/trains?limit=1")
	rest := s.get(t, "", "/v1/trains?limit=1&cursor="+page.str(t, "next_cursor"))
	require.Equal(t, r.str(t, "id"), rest.field(t, "items").([]any)[0].(map[string]any)["id"])
	for query, fields := range map[string][]string{
		"from=a": {"to"}, "to=a": {"from"}, "date=2036-12-01": {"date"}, "from=a&to=A": {"to"}, "from=&to=": {"from", "to"},
		"from=a&to=b&date=1.12.2036": {"date"}, "from=a&to=b&date=2036-02-30": {"date"}, "from=a&to=%FF": {"to"}, "sort=x": {"sort"},
		"departed=yes": {"departed"}, "departed=": {"departed"},
		"from=Delhi&to=Mumbai&cursor=" + page.str(t, "next_cursor"): {"cursor"},
	} {
		requireInvalid(t, s.get(t, "", "/v1/trains?"+query), fields...)
	}
}
