package api_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
)

func TestSearchWithoutResultsIsAnEmptyList(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.train(t, "Delhi", "Jaipur", "Mumbai")
	for _, query := range []string{"source=a&destination=b", "source=Mumbai&destination=Delhi"} {
		r := s.get(t, "", "/train/get-trains/?"+query)
		require.Equal(t, 200, r.status)
		require.Equal(t, "[]", r.text)
	}
}

func TestQueryOfASearchTakesPrecedenceOverItsBody(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.train(t, "Delhi", "Jaipur", "Mumbai")
	for _, row := range []struct{ query, body, source, destination string }{
		{"", `{"source":"delhi","destination":"jaipur"}`, "Delhi", "Jaipur"},
		{"?source=Jaipur", `{"source":"Delhi","destination":"Mumbai"}`, "Jaipur", "Mumbai"},
		{"?source=Delhi&destination=Mumbai", `{}`, "Delhi", "Mumbai"},
		{"?source=Delhi&destination=Mumbai&utm=x&utm=y", ``, "Delhi", "Mumbai"},
	} {
		r := s.do(t, request{method: "GET", path: "/train/get-trains/" + row.query, body: row.body})
		require.Equal(t, 200, r.status, r.text)
		train := r.json.([]any)[0].(map[string]any)
		require.Equal(t, row.source, train["source"])
		require.Equal(t, row.destination, train["destination"])
	}
}

func TestInvalidSearchNamesItsFields(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for _, row := range []struct {
		query, body string
		fields      []string
	}{
		{"", "", []string{"source", "destination"}},
		{"?source=Delhi", "", []string{"destination"}},
		{"?source=Delhi&destination=%20delhi", "", []string{"destination"}},
		{"?source=Delhi&source=Delhi&destination=Mumbai", "", []string{"source"}},
		{"?source=&destination=%00", "", []string{"source", "destination"}},
		{"", `{"source":"a","destination":5}`, []string{"destination"}},
		{"?source=a&destination=b", `{"source":"a","date":1}`, []string{"date"}},
		{"?source=a&destination=b", `[]`, []string{"body"}},
		{"?source=a&destination=%zz", ``, []string{"query"}},
	} {
		r := s.do(t, request{method: "GET", path: "/train/get-trains/" + row.query, body: row.body})
		requireInvalid(t, r, row.fields...)
	}
	r := s.do(t, request{method: "GET", path: "/train/get-trains/", body: "a=b", header: http.Header{"Content-Type": {"text/plain"}}})
	requireProblem(t, 415, booking.CodeUnsupportedMedia, "", r)
	r = s.do(t, request{method: "GET", path: "/train/get-trains/", body: strings.Repeat(" ", 70_000)})
	requireProblem(t, 413, booking.CodeTooLarge, "", r)
}

func TestStationsMatchInAnyCaseAndNormalForm(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	const spelled = "Montréal \"Gare\" <&> 列車"
	id := s.train(t, spelled, "Straße")
	for _, source := range []string{spelled, "MONTRE\u0301AL \"gare\" <&> 列車", "  montréal \"GARE\" <&> 列車\t"} {
		query := url.Values{"source": {source}, "destination": {"STRASSE"}}
		r := s.get(t, "", "/train/get-trains/?"+query.Encode())
		require.Equal(t, 200, r.status, r.text)
		train := r.json.([]any)[0].(map[string]any)
		require.Equal(t, id.String(), train["train_id"])
		require.Equal(t, spelled, train["source"], "as the train's own stop spells it")
		require.Equal(t, "Straße", train["destination"])
	}
}

// The list is not encoded by encoding/json, but must be what encoding/json would write.
func TestSearchIsEncodedAsByEncodingJSON(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	first, second := s.train(t, "Delhi", "Mumbai"), s.train(t, "Delhi", "Mumbai")
	if first.String() > second.String() { // trains without times are in the order of their ids
		first, second = second, first
	}
	seat := s.lock(t, token, first, "5").str(t, "seat_id")
	s.lock(t, token, first, "10")
	require.Equal(t, 200, s.post(t, token, "/train/confirm-booking/", `{"seat_id":"`+seat+`"}`).status)

	r := s.get(t, "", search)
	type element struct {
		TrainID   string `json:"train_id"`
		Name      string `json:"train_name"`
		Capacity  int    `json:"train_capacity"`
		Remaining int    `json:"remaining_capacity"`
		Full      bool   `json:"is_full"`
		Source    string `json:"source"`
		To        string `json:"destination"`
		Available []int  `json:"seat_available"`
	}
	want, err := json.Marshal([]element{
		{first.String(), "Shatabdi Express", 10, 9, false, "Delhi", "Mumbai", []int{1, 2, 3, 4, 6, 7, 8, 9}},
		{second.String(), "Shatabdi Express", 10, 10, false, "Delhi", "Mumbai", []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
	})
	require.NoError(t, err)
	require.Equal(t, string(want), r.text)
}

func TestTextsOfASearchAreEncodedAsInOtherResponses(t *testing.T) {
	t.Parallel()
	texts := []string{"", "a\xffb", "\xe2\x80"}
	for r := range rune(0x3000) {
		texts = append(texts, "a"+string(r)+"b")
	}
	for _, text := range append(texts, "列車", "🚆", "\ufffd", "\U0010ffff") {
		require.Equal(t, string(api.Encode(text)), string(api.AppendText(nil, text)))
	}
}
