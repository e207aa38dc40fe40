package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
)

func TestBodyMustBeOneStrictObject(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ body, field, message string }{
		{``, "body", "must be one JSON document"},
		{`   `, "body", "must be one JSON document"},
		{`{`, "body", "must be one JSON document"},
		{`{"a":1}{"a":1}`, "body", "after top-level value"},
		{`{"a":1} x`, "body", "after top-level value"},
		{`{"a":1,}`, "body", "must be one JSON document"},
		{`{'a':1}`, "body", "must be one JSON document"},
		{`{"a":01}`, "body", "must be one JSON document"},
		{`{"a":+1}`, "body", "must be one JSON document"},
		{`{"a":NaN}`, "body", "must be one JSON document"},
		{"{\"a\":\"\n\"}", "body", "must be one JSON document"},
		{"\xef\xbb\xbf{}", "body", "must be one JSON document"},
		{"{\"a\":\"\xff\"}", "body", "UTF-8"},
		{`null`, "body", "must be a JSON object"},
		{`[]`, "body", "must be a JSON object"},
		{`"a"`, "body", "must be a JSON object"},
		{`{"a":1,"a":1}`, "a", "twice"},
		{`{"a":1,"\u0061":1}`, "a", "twice"},
		{`{"a":[{"b":1},{"b":1,"b":2}]}`, "a[1].b", "twice"},
		{`{"a":"\ud800"}`, "a", "surrogate pair"},
		{`{"a":{"\udc00":1}}`, "a.\ufffd", "surrogate pair"},
		{`{"a":` + nested(100_000) + `}`, "a" + strings.Repeat("[0]", 63), "nested deeper than 64"},
	} {
		_, err := api.ParseObject([]byte(row.body))
		requireFieldError(t, err, row.field, row.message)
	}
}

func TestNestingIsBounded(t *testing.T) {
	t.Parallel()
	_, err := api.ParseObject([]byte(`{"a":` + nested(63) + `}`))
	require.NoError(t, err)
	_, err = api.ParseObject([]byte(`{"a":` + nested(64) + `}`))
	requireFieldError(t, err, "a"+strings.Repeat("[0]", 63), "nested deeper than 64")
}

func TestDifferentCaseIsADifferentName(t *testing.T) {
	t.Parallel()
	got, err := api.ParseObject([]byte(`{"a":1,"A":"x","b":[true,null,{}]}`))
	require.NoError(t, err)
	require.Equal(t, api.Object{
		"a": json.Number("1"), "A": "x", "b": []any{true, nil, api.Object{}},
	}, got)
}

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func requireFieldError(t *testing.T, err error, field, message string) {
	t.Helper()
	var invalid *booking.Error
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, booking.CodeInvalidRequest, invalid.Code)
	require.Len(t, invalid.Fields, 1)
	require.Contains(t, invalid.Fields[field], message, "%v", invalid.Fields)
}

// encoding/json must parse an accepted body to the same values.
func FuzzAcceptedBodyIsWhatEncodingJSONReads(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1}`, `{"a":{"b":[1,2.5e3,"x",null,false]}}`, `{"a":1,"A":2}`, `{"a":1,"a":2}`,
		`{"a":"\ud83d\ude00"}`, `{"a":"\ud83d"}`, `[`, `{"":0}`, "{\"a\":\"\x00\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := api.ParseObject(body)
		if err != nil {
			var invalid *booking.Error
			require.ErrorAs(t, err, &invalid)
			require.Len(t, invalid.Fields, 1)
			return
		}
		require.True(t, utf8.Valid(body))
		require.True(t, json.Valid(body))
		var want map[string]any
		decoder := json.NewDecoder(strings.NewReader(string(body)))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(&want))
		require.Equal(t, fmt.Sprint(want), strings.ReplaceAll(fmt.Sprint(got), "api.jsonObject", "map[string]any"))
	})
}
