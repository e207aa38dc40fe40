package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
)

// handle passes a request directly to the handler, without the part of net/http that
// rejects malformed headers.
func (s *testServer) handle(tb testing.TB, in request) response {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), http.MethodGet, "/", strings.NewReader(in.body))
	r.Method, r.RequestURI = in.method, in.path
	path, query, _ := strings.Cut(in.path, "?")
	r.URL = &url.URL{Path: path, RawQuery: query}
	for name, values := range in.header {
		r.Header[name] = values
	}
	if in.token != "" {
		r.Header.Set("Authorization", "Bearer "+in.token)
	}
	if in.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	recorder := httptest.NewRecorder()
	s.server.Handler().ServeHTTP(recorder, r)
	out := response{status: recorder.Code, header: recorder.Header(), text: recorder.Body.String()}
	if strings.Contains(out.header.Get("Content-Type"), "json") && out.text != "" {
		require.NoError(tb, json.Unmarshal([]byte(out.text), &out.json), out.text)
	}
	return out
}

// Exactly one valid bearer token authenticates its user. Every other Authorization header
// gets the same 401.
func FuzzAuthorization(f *testing.F) {
	s := newTestServer(f)
	good := s.user(f, "asha")
	for _, seed := range []string{
		"", "Bearer", "Bearer ", "Bearer " + good, "bEARER " + good, "Bearer  " + good, "Bearer\t" + good, "Basic " + good, good,
		"Bearer " + good + " ", "Bearer " + good + ", Bearer " + good, "Bearer " + serviceToken, "Bearer " + serviceToken + "x",
		"Bearer \x00", "Bearer eyJhbGciOiJub25lIn0.e30.", "Token a=b", "Bearer " + strings.Repeat(".", 300),
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	anonymous := s.handle(f, request{method: "GET", path: "/v1/bookings"})
	requireProblem(f, 401, booking.CodeUnauthenticated, "", anonymous)
	want := withoutInstance(anonymous)
	f.Fuzz(func(t *testing.T, value string, twice bool) {
		header := http.Header{"Authorization": {value}}
		if twice {
			header["Authorization"] = []string{value, value}
		}
		r := s.handle(t, request{method: "GET", path: "/v1/bookings", header: header})
		scheme, token, _ := strings.Cut(value, " ")
		caller, err := s.accounts.Identify(token)
		switch known := err == nil && !twice && strings.EqualFold(scheme, "bearer"); {
		case known && caller.Machine:
			requireProblem(t, 403, booking.CodeForbidden, "", r)
		case known:
			require.Equal(t, 200, r.status, r.text)
		case r.status != http.StatusRequestHeaderFieldsTooLarge:
			requireProblem(t, 401, booking.CodeUnauthenticated, "", r)
			require.Equal(t, want, withoutInstance(r))
		}
	})
}

// A key is accepted or rejected. A retry with an accepted key gets the same response.
func FuzzIdempotencyKey(f *testing.F) {
	s := newTestServer(f)
	for _, seed := range []string{
		"", "k", " ", "a b", "~", "\x7f", "\x1f", "é", "\x00", "k\r\nX: y", strings.Repeat("k", 255), strings.Repeat("k", 256), `"k"`, "k,k", "../../etc/passwd",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		in := request{method: "POST", path: "/v1/trains", token: serviceToken, body: shatabdi, header: http.Header{"Idempotency-Key": {key}}}
		first := s.handle(t, in)
		plain := len(key) >= 1 && len(key) <= 255 && !strings.ContainsFunc(key, func(r rune) bool { return r < 0x20 || r > 0x7e })
		if !plain {
			require.Contains(t, []int{400, 431}, first.status, first.text)
			return
		}
		require.Equal(t, 201, first.status, first.text)
		again := s.handle(t, in)
		require.Equal(t, 201, again.status)
		require.Equal(t, first.text, again.text)
		require.Equal(t, first.header.Get("Location"), again.header.Get("Location"))
		in.body = strings.Replace(shatabdi, "10", "11", 1)
		requireProblem(t, 422, booking.CodeKeyReused, "", s.handle(t, in))
	})
}

// Every path gets a documented response.
func FuzzPath(f *testing.F) {
	s := newTestServer(f)
	admin := s.admin(f)
	for _, seed := range []string{
		"/", "", "//", "/v1/trains/", "/v1/trains/10d37399-0000-4000-8000-4d2a8c5b0000", "/v1/trains/10d37399-0000-4000-8000-4d2a8c5b0001/seats",
		"/v1/holds/ENNzmQAAQACAAE0qjFsLM0B1kSZKTmefAcq6kR8v", "/v1/holds/\n", "/v1/bookings/0b9c4a3e-7f21-5d0c-9a53-0d3c6f0a7e11",
		"/docs/../openapi.yaml", "/docs/swagger-ui.css", "/docs/\x00", "/v1/trains/..", "/v1/users/%00", "/*", "/:id", "/v1/trains/:id", "*",
	} {
		for _, method := range []string{"GET", "POST", "DELETE", "PUT"} {
			f.Add(method, seed)
		}
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		r := s.handle(t, request{method: method, path: path, token: admin})
		require.Less(t, r.status, 500, r.text)
		if r.status >= 400 && r.text != "" {
			require.Equal(t, "application/problem+json", r.header.Get("Content-Type"))
		}
		requireUnrouted(t, loadSpec(t), r)
	})
}

// The server uses a client's X-Request-Id and X-Forwarded-For only if they are safe to log.
func FuzzRequestIDAndForwardedFor(f *testing.F) {
	s := newTestServer(f, trusting("192.0.2.0/24")) // the address of httptest's requests
	for _, seed := range []string{
		"", "trace-1", "a b", "1.2.3.4", "1.2.3.4, 5.6.7.8", "[::1]:80", "[::1]", "::1%eth0", "192.0.2.1:1, 192.0.2.2", "[fe80::1%eth0]:1", ",,,", "\x00", "${jndi:x}", "a\nb", strings.Repeat("1.2.3.4,", 99),
	} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, id, forwarded string) {
		r := s.handle(t, request{method: "GET", path: "/nowhere", header: http.Header{
			"X-Request-Id": {id}, "X-Forwarded-For": {forwarded},
		}})
		require.Contains(t, []int{404, 431}, r.status)
		got := r.header.Get("X-Request-Id")
		require.Regexp(t, `^[A-Za-z0-9._-]{1,64}$`, got)
		require.Equal(t, got, r.str(t, "instance"))
		for _, line := range s.log.requests(t, got) {
			_, err := netip.ParseAddr(line["address"].(string))
			require.NoError(t, err)
		}
		s.log.reset()
	})
}

func parsed(tb testing.TB, body string) api.Object {
	tb.Helper()
	object, err := api.ParseObject([]byte(body))
	require.NoError(tb, err)
	return object
}

// Every field is decoded to a valid value or rejected.
func FuzzFields(f *testing.F) {
	const good = `"text":"a","int":1,"ints":[1,2],"bool":true,"time":"2026-12-01T06:00:00+05:30","date":"2026-12-01",` +
		`"train":"10d37399-0000-4000-8000-4d2a8c5b0000","seat":"10d37399-0000-4000-8000-4d2a8c5b0005",` +
		`"hold":"ENNzmQAAQACAAE0qjFsLM0B1kSZKTmefAcq6kR8v"`
	_, err := api.DecodeFields(nil, parsed(f, "{"+good+`,"objects":[{`+good+`}]}`))
	require.NoError(f, err)
	for _, seed := range []string{
		`{}`, "{" + good + `,"objects":[{` + good + `}]}`,
		`{"text":" ","int":1e99,"ints":[0],"bool":"true","time":"2026-12-01T6:00:00Z","date":"0001-01-01","objects":[{}]}`,
		`{"text":null,"int":"1","ints":{},"bool":1,"time":"2026-12-01T24:00:00Z","date":"2026-13-01","objects":[[]]}`,
		`{"text":"\u0000","int":-0,"ints":[1.5],"time":"2026-12-01T06:00:00,5Z","limit":1001,"cursor":"AAAA"}`,
	} {
		f.Add([]byte(seed), "")
	}
	for _, change := range [][2]string{ // one invalid field
		{`"text":"a"`, `"text":"abcdef"`},
		{`"int":1`, `"int":10`},
		{`"int":1`, `"int":0`},
		{`[1,2]`, `[1,10]`},
		{`2026-12-01T`, `0001-01-01T`},
		{`"objects":[`, `"limit":1,"objects":[`},
	} {
		f.Add([]byte(strings.Replace("{"+good+`,"objects":[]}`, change[0], change[1], 1)), "")
	}
	f.Add([]byte(`{}`), "text=a&int=1&ints=1&bool=true&time=2026-12-01T06:00:00Z&date=2026-12-01&limit=5&cursor=x&objects=1")
	f.Add([]byte(`{}`), "int=1&int=2&nothing=%00")
	f.Fuzz(func(t *testing.T, body []byte, text string) {
		object, err := api.ParseObject(body)
		query, malformed := url.ParseQuery(text)
		if err != nil || malformed != nil {
			return
		}
		got, err := api.DecodeFields(query, object)
		if err != nil {
			require.Equal(t, booking.CodeInvalidRequest, booking.CodeOf(err))
			return
		}
		for _, one := range append(got.Objects, got) {
			clean, message := booking.CleanText(one.Text, 1, 5)
			require.Empty(t, message)
			require.Equal(t, clean, one.Text)
			for _, n := range append(one.Ints, one.Int) {
				require.True(t, n >= 1 && n <= 9, n)
			}
			for _, at := range []interface{ MarshalText() ([]byte, error) }{one.Time, one.Date, one.Train, one.Seat, one.Hold} {
				_, err := at.MarshalText()
				require.NoError(t, err)
			}
			require.True(t, one.Time.IsZero() || one.Time.Year() >= 1970)
		}
		require.True(t, got.Page.Limit >= 1 && got.Page.Limit <= booking.MaxPageLimit)
	})
}
