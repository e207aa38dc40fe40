package api_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/api"
	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/sqlite"
)

const (
	password     = "correct horse"
	signingKey   = "a key for tests, of at least thirty-two bytes"
	serviceToken = "a-service-token-for-tests-of-at-least-32-bytes"
)

// testServer is the service behind a real HTTP server on a free port.
type testServer struct {
	server   *api.Server
	url      string
	client   *http.Client
	db       *sqlite.DB
	trains   *actors.System
	accounts *auth.Accounts
	registry *prometheus.Registry
	log      *logBuffer
}

// setting changes the options of a testServer.
type setting func(*api.Options, *booking.HoldRules)

func newTestServer(tb testing.TB, settings ...setting) *testServer {
	tb.Helper()
	s := &testServer{db: newStore(tb), registry: prometheus.NewRegistry(), log: &logBuffer{}}
	s.accounts = newAccounts(tb, s.db)
	options := api.Options{
		Accounts: s.accounts, Users: s.db, Replies: s.db, Registry: s.registry,
		Logger: slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	rules := booking.HoldRules{TTL: booking.DefaultHoldTTL, MaxSeats: booking.DefaultMaxHolds}
	for _, set := range settings {
		set(&options, &rules)
	}
	s.trains = newTrains(tb, s.db, rules)
	if wrapper, ok := options.Service.(wrapper); ok {
		options.Service = wrapper.wrap(s.trains)
	} else {
		options.Service = s.trains
	}
	var err error
	s.server, err = api.New(options)
	require.NoError(tb, err)
	listener := httptest.NewUnstartedServer(nil)
	listener.Config, listener.Listener = s.server.HTTPServer(), api.Listener(listener.Listener)
	listener.Start()
	tb.Cleanup(listener.Close)
	s.url, s.client = listener.URL, listener.Client()
	return s
}

// wrapper in Options.Service wraps the real service.
type wrapper struct {
	booking.Service
	wrap func(real booking.Service) booking.Service
}

// wrapped wraps the real service.
func wrapped(wrap func(real booking.Service) booking.Service) setting {
	return func(o *api.Options, _ *booking.HoldRules) { o.Service = wrapper{wrap: wrap} }
}

// failingSearch is the real service, but Search returns the error of search.
type failingSearch struct {
	booking.Service
	search func(context.Context) error
}

func (f failingSearch) Search(ctx context.Context, from, to string, date time.Time) (booking.Found, error) {
	if err := f.search(ctx); err != nil {
		return booking.Found{}, err
	}
	return f.Service.Search(ctx, from, to, date)
}

// searchFails makes every search return the error of f.
func searchFails(f func(context.Context) error) setting {
	return wrapped(func(real booking.Service) booking.Service { return failingSearch{real, f} })
}

func newStore(tb testing.TB) *sqlite.DB {
	tb.Helper()
	db, err := sqlite.Open(tb.Context(), tb.TempDir(), sqlite.Options{})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	require.NoError(tb, db.Migrate(tb.Context()))
	return db
}

func newAccounts(tb testing.TB, users booking.Users) *auth.Accounts {
	tb.Helper()
	tokens, err := auth.NewTokens([][]byte{[]byte(signingKey)}, auth.DefaultAccessTTL, auth.DefaultRefreshTTL)
	require.NoError(tb, err)
	hasher, err := auth.NewHasher(auth.Cost{MemoryKiB: 8, Passes: 1, Lanes: 1}) // the minimum, to be fast
	require.NoError(tb, err)
	services, err := auth.ParseServiceTokens([]byte(serviceToken))
	require.NoError(tb, err)
	return &auth.Accounts{
		Users: users, Tokens: tokens, Hasher: hasher, Services: services,
		Logins: auth.NewLoginThrottle(auth.ThrottleOptions{Limit: auth.DefaultLoginFailures}),
	}
}

func newTrains(tb testing.TB, db *sqlite.DB, rules booking.HoldRules) *actors.System {
	tb.Helper()
	trains := actors.New(actors.Options{Store: db, Holds: db, Rules: rules})
	require.NoError(tb, trains.Start(tb.Context()))
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(tb, trains.Stop(ctx))
	})
	return trains
}

// request is what do sends.
type request struct {
	method, path string
	token        string
	body         string // sent as application/json
	header       http.Header
}

// response is a response that do has validated against openapi.yaml.
type response struct {
	status int
	header http.Header
	text   string
	json   any
}

// field returns a field of the JSON object, or of a nested one: "token.access".
func (r response) field(tb testing.TB, path string) any {
	tb.Helper()
	value := r.json
	for _, name := range strings.Split(path, ".") {
		fields, ok := value.(map[string]any)
		require.True(tb, ok, "%s in %s", path, r.text)
		value = fields[name]
	}
	return value
}

func (r response) str(tb testing.TB, path string) string {
	tb.Helper()
	s, ok := r.field(tb, path).(string)
	require.True(tb, ok, "%s in %s", path, r.text)
	return s
}

// fields returns the names of the invalid fields.
func (r response) fields(tb testing.TB) []string {
	tb.Helper()
	var names []string
	for name := range r.field(tb, "fields").(map[string]any) {
		names = append(names, name)
	}
	return names
}

// do sends a request and validates the response against openapi.yaml.
func (s *testServer) do(tb testing.TB, in request) response {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), in.method, s.url+in.path, strings.NewReader(in.body))
	require.NoError(tb, err)
	if in.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if in.token != "" {
		r.Header.Set("Authorization", "Bearer "+in.token)
	}
	for name, values := range in.header {
		r.Header[name] = values
	}
	resp, err := s.client.Do(r)
	require.NoError(tb, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(tb, err)
	out := response{status: resp.StatusCode, header: resp.Header, text: string(text)}
	if strings.Contains(resp.Header.Get("Content-Type"), "json") && len(text) > 0 {
		require.NoError(tb, json.Unmarshal(text, &out.json), out.text)
	}
	requireDocumented(tb, s.server, in, out)
	return out
}

// post and get call do.
func (s *testServer) post(tb testing.TB, token, path, body string) response {
	tb.Helper()
	return s.do(tb, request{method: "POST", path: path, token: token, body: body})
}

func (s *testServer) get(tb testing.TB, token, path string) response {
	tb.Helper()
	return s.do(tb, request{method: "GET", path: path, token: token})
}

// requireProblem checks an error. A message of "" matches any.
func requireProblem(tb testing.TB, status int, code booking.Code, message string, r response) {
	tb.Helper()
	require.Equal(tb, status, r.status, r.text)
	require.Equal(tb, "application/problem+json", r.header.Get("Content-Type"))
	require.Equal(tb, string(code), r.str(tb, "code"), r.text)
	require.Equal(tb, r.header.Get("X-Request-Id"), r.str(tb, "instance"))
	if message != "" {
		require.Equal(tb, message, r.str(tb, "error"))
	}
}

// requireInvalid checks that exactly these fields are invalid.
func requireInvalid(tb testing.TB, r response, fields ...string) {
	tb.Helper()
	requireProblem(tb, 400, booking.CodeInvalidRequest, "", r)
	require.ElementsMatch(tb, fields, r.fields(tb), r.text)
}

// user creates an account and returns its access token.
func (s *testServer) user(tb testing.TB, name string) (token string) {
	tb.Helper()
	r := s.post(tb, "", "/user/register/", registration(name))
	require.Equal(tb, 201, r.status, r.text)
	return s.login(tb, name)
}

// admin creates an admin account and returns its access token.
func (s *testServer) admin(tb testing.TB) (token string) {
	tb.Helper()
	_, err := s.accounts.CreateAdmin(tb.Context(), auth.Registration{
		Username: "root", Email: "root@example.org", Password: password, Password2: password,
	})
	require.NoError(tb, err)
	return s.login(tb, "root")
}

func (s *testServer) login(tb testing.TB, name string) (token string) {
	tb.Helper()
	r := s.post(tb, "", "/user/login/", `{"username":"`+name+`","password":"`+password+`"}`)
	require.Equal(tb, 200, r.status, r.text)
	return r.str(tb, "token.access")
}

func registration(name string) string {
	return `{"username":"` + name + `","email":"` + name + `@example.org","password":"` + password + `","password2":"` + password + `"}`
}

// train creates a train of ten seats that stops at the stations.
func (s *testServer) train(tb testing.TB, stations ...string) booking.TrainID {
	tb.Helper()
	train := booking.Train{Name: "Shatabdi Express", Capacity: 10, OnSale: true}
	for _, station := range stations {
		train.Stops = append(train.Stops, booking.Stop{Station: station})
	}
	created, err := s.trains.CreateTrain(tb.Context(), train)
	require.NoError(tb, err)
	return created.ID
}

// lock holds seat n and returns the response of book-ticket.
func (s *testServer) lock(tb testing.TB, token string, id booking.TrainID, n string) response {
	tb.Helper()
	r := s.post(tb, token, "/train/book-ticket/", `{"train_id":"`+id.String()+`","seat_number":`+n+`}`)
	require.Equal(tb, 200, r.status, r.text)
	return r
}
