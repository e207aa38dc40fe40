package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// An admin sends each body to each endpoint that takes one.
func TestInvalidBodyIsRejectedByEveryEndpoint(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	admin := s.admin(t)
	path := strings.NewReplacer("{id}", s.train(t, "Delhi", "Mumbai").String())
	text, twice := http.Header{"Content-Type": {"text/plain"}}, http.Header{"Content-Type": {"application/json", "application/json"}}
	for _, row := range []struct {
		name, body string
		header     http.Header
		status     int
		code       booking.Code
	}{
		{"1 MiB", strings.Repeat("x", 1<<20), nil, 413, booking.CodeTooLarge},
		{"1 MiB of JSON", `{"a":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413, booking.CodeTooLarge},
		{"one byte too many", `{"a":"` + strings.Repeat("x", 64<<10-7) + `"}`, nil, 413, booking.CodeTooLarge},
		{"the maximum", `{"a":"` + strings.Repeat("x", 64<<10-8) + `"}`, nil, 400, booking.CodeInvalidRequest},
		{"100,000 deep", nested(100_000), nil, 413, booking.CodeTooLarge},
		{"20,000 deep", nested(20_000), nil, 400, booking.CodeInvalidRequest},
		{"two documents", `{}{}`, nil, 400, booking.CodeInvalidRequest},
		{"not JSON", `seat_number=5`, nil, 400, booking.CodeInvalidRequest},
		{"an array", `[]`, nil, 400, booking.CodeInvalidRequest},
		{"unknown names", `{"is_admin":true}`, nil, 400, booking.CodeInvalidRequest},
		{"5,000 names", manyNames(5_000), nil, 400, booking.CodeInvalidRequest},
		{"a NUL", "\x00", nil, 400, booking.CodeInvalidRequest},
		{"another type", `{}`, text, 415, booking.CodeUnsupportedMedia},
		{"two types", `{}`, twice, 415, booking.CodeUnsupportedMedia},
		{"another charset", `{}`, http.Header{"Content-Type": {"application/json; charset=utf-16"}}, 415, booking.CodeUnsupportedMedia},
		{"no type", `{}`, http.Header{"Content-Type": {}}, 415, booking.CodeUnsupportedMedia},
		{"a malformed type", `{}`, http.Header{"Content-Type": {"application/json;;"}}, 415, booking.CodeUnsupportedMedia},
		{"empty", ``, nil, 400, booking.CodeInvalidRequest},
	} {
		for _, o := range s.server.Operations() {
			body := loadSpec(t).Paths.Value(o.Path).GetOperation(o.Method).RequestBody
			if body == nil || row.body == "" && !body.Value.Required {
				continue
			}
			r := s.do(t, request{method: o.Method, path: path.Replace(o.Path), token: admin, body: row.body, header: row.header})
			requireProblem(t, row.status, row.code, "", r)
			require.Less(t, len(r.text), 8<<10, "%s: the response is bounded", row.name)
		}
	}
}

func manyNames(n int) string {
	fields := make(map[string]int, n)
	for i := range n {
		fields["a"+strconv.Itoa(i)] = i
	}
	text, _ := json.Marshal(fields) // cannot fail for strings and numbers
	return string(text)
}

// A body without a Content-Length is rejected when it exceeds the limit.
func TestBodyOfUnknownLengthIsBounded(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	endless := io.MultiReader(strings.NewReader(`{"refresh":"`), strings.NewReader(strings.Repeat("x", 1<<20)))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/user/token/refresh/", endless)
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, 413, response.StatusCode)
}

func TestContentTypeMayHaveACharset(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for i, contentType := range []string{"application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\"", "application/json"} {
		r := s.do(t, request{
			method: "POST", path: "/user/register/", body: registration("user" + string(rune('a'+i))),
			header: http.Header{"Content-Type": {contentType}},
		})
		require.Equal(t, 201, r.status, r.text)
	}
}

// A body asks for something, such as a part of a hold, that a request without fields does not do.
func TestBodyOfARequestWithoutFieldsIsRefused(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token, admin := s.user(t, "asha"), s.admin(t)
	id := s.train(t, "A", "B")
	h := s.post(t, token, "/v1/holds", `{"train_id":"`+id.String()+`","count":2}`).str(t, "hold_id")
	booked := s.post(t, token, "/v1/holds", `{"train_id":"`+id.String()+`","count":3}`).str(t, "hold_id")
	b := s.post(t, token, "/v1/holds/"+booked+"/confirm", "").str(t, "booking_id")
	for _, in := range []request{
		{method: "POST", path: "/v1/holds/" + h + "/extend", token: token},
		{method: "DELETE", path: "/v1/trains/" + id.String(), token: admin},
		{method: "GET", path: "/v1/trains"},
		{method: "GET", path: "/train/view-bookings/", token: token},
	} {
		for _, body := range []string{`{"seats":[2]}`, "{}", "x", strings.Repeat("x", 1<<20)} {
			in.body = body
			requireInvalid(t, s.do(t, in), "body")
		}
	}
	require.Equal(t, 200, s.get(t, token, "/v1/bookings/"+b).status)
	require.Equal(t, 200, s.post(t, token, "/v1/holds/"+h+"/confirm", "").status)
}
