package api_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStationsAreFoundHoweverTheyAreSpelled(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for station, spellings := range map[string][]string{
		"Düsseldorf Hbf": {"Dusseldorf Hbf", "DÜSSELDORF  HBF", "dusseldorf-hbf"},
		"İstanbul":       {"istanbul", "Istanbul", "ISTANBUL"},
		"IĞDIR":          {"Iğdır", "igdir"},
		"Θήβα":           {"ΘΗΒΑ"},
		"New Delhi":      {"New  Delhi", "New\u00a0Delhi", "new-delhi"},
		"Saint-Denis":    {"Saint\u2010Denis", "saint denis"},
		"Nice":           {"Nice"},
	} {
		id := s.train(t, station, "Łódź").String()
		for _, spelled := range spellings {
			query := url.Values{"source": {spelled}, "destination": {"lodz"}}
			found := s.get(t, "", "/train/get-trains/?"+query.Encode())
			require.Len(t, found.json, 1, "%s: %s", spelled, found.text)
			train := found.json.([]any)[0].(map[string]any)
			require.Equal(t, id, train["train_id"])
			require.Equal(t, station, train["source"], "as the train spells it")
			query = url.Values{"from": {spelled}, "to": {"LÓDŹ"}}
			require.Len(t, s.get(t, "", "/v1/trains?"+query.Encode()).field(t, "items"), 1, spelled)
			require.Equal(t, 200, s.get(t, "", "/v1/trains/"+id+"/seats?"+query.Encode()).status, spelled)
		}
	}
	query := url.Values{"source": {"Dusseldorf"}, "destination": {"Lodz"}}
	require.Equal(t, "[]", s.get(t, "", "/train/get-trains/?"+query.Encode()).text, "a search has the whole name")
}

func TestStationsOfOneTrainMayHaveOneKey(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.train(t, "İzmir", "Izmir", "Ízmir")
	for _, row := range []struct{ from, to, source, destination string }{
		{"İzmir", "Izmir", "İzmir", "Izmir"}, {"izmir", "ízmir", "Izmir", "Ízmir"}, {"ìzmir", "izmir", "İzmir", "Izmir"},
	} {
		query := url.Values{"source": {row.from}, "destination": {row.to}}
		train := s.get(t, "", "/train/get-trains/?"+query.Encode()).json.([]any)[0].(map[string]any)
		require.Equal(t, []any{row.source, row.destination}, []any{train["source"], train["destination"]})
	}
	r := s.post(t, serviceToken, "/v1/trains", `{"name":"a","capacity":5,"stops":[{"station":"İzmir"},{"station":"i\u0307zmir"}]}`)
	requireInvalid(t, r, "stops[1].station")
}

func TestStationsAreSuggested(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.train(t, "Düsseldorf Hbf", "Köln Hbf", "Aachen")
	s.train(t, "Koln Hbf", "Dülmen")
	s.train(t, "Köln-Hbf", "Aachen")
	s.train(t, "KOLN HBF", "Aachen")
	s.train(t, "Koln Hbf", "Dülmen")
	for q, want := range map[string]string{
		"Dusseldorf": `{"name":"Düsseldorf Hbf","trains":1}`,
		"du":         `{"name":"Dülmen","trains":2},{"name":"Düsseldorf Hbf","trains":1}`,
		"HBF":        `{"name":"Koln Hbf","trains":5},{"name":"Düsseldorf Hbf","trains":1}`,
		"köln  hb":   `{"name":"Koln Hbf","trains":5}`,
		" aach ":     `{"name":"Aachen","trains":3}`,
		"achen":      ``,
		"-":          ``,
	} {
		r := s.get(t, "", "/v1/stations?"+url.Values{"q": {q}}.Encode())
		require.Equal(t, 200, r.status, r.text)
		require.Equal(t, `{"items":[`+want+`]}`, r.text, q)
	}
}

func TestInvalidSuggestionNamesItsFields(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for query, field := range map[string]string{
		"": "q", "?q=": "q", "?q=%20": "q", "?q=a&q=b": "q", "?q=%00": "q", "?q=" + strings.Repeat("x", 256): "q", "?q=a&limit=5": "limit",
	} {
		requireInvalid(t, s.get(t, "", "/v1/stations"+query), field)
	}
	require.Equal(t, 200, s.get(t, "", "/v1/stations?q="+strings.Repeat("x", 255)).status)
}
