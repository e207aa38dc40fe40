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

// site is the whole service behind a real HTTP server on a free port.
type site struct {
	server   *api.Server
	url      string
	client   *http.Client
	db       *sqlite.DB
	trains   *actors.System
	accounts *auth.Accounts
	registry *prometheus.Registry
	log      *logged
}

// setting changes how a site is made.
type setting func(*api.Options, *booking.HoldRules)

func newSite(t *testing.T, settings ...setting) *site {
	t.Helper()
	s := &site{db: newStore(t), registry: prometheus.NewRegistry(), log: &logged{}}
	s.accounts = newAccounts(t, s.db)
	options := api.Options{
		Accounts: s.accounts, Users: s.db, Replies: s.db, Registry: s.registry,
		Logger: slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	rules := booking.HoldRules{TTL: booking.DefaultHoldTTL, MaxSeats: booking.DefaultMaxHolds}
	for _, set := range settings {
		set(&options, &rules)
	}
	s.trains = newTrains(t, s.db, rules)
	options.Service = behind(options.Service, s.trains)
	var err error
	s.server, err = api.New(options)
	require.NoError(t, err)
	listener := httptest.NewUnstartedServer(nil)
	listener.Config = s.server.HTTPServer()
	listener.Start()
	t.Cleanup(listener.Close)
	s.url, s.client = listener.URL, listener.Client()
	return s
}

// behind puts the real service into a fault that a setting made.
func behind(given booking.Service, real booking.Service) booking.Service {
	if f, ok := given.(*faulty); ok {
		f.Service = real
		return f
	}
	return real
}

// faulty is the real service, but a search ends as search says.
type faulty struct {
	booking.Service
	search func(context.Context) error
}

func (f *faulty) Search(ctx context.Context, from, to string) ([]booking.Availability, error) {
	if err := f.search(ctx); err != nil {
		return nil, err
	}
	return f.Service.Search(ctx, from, to)
}

// searchFails makes every search end with what f returns.
func searchFails(f func(context.Context) error) setting {
	return func(o *api.Options, _ *booking.HoldRules) { o.Service = &faulty{search: f} }
}

func newStore(t *testing.T) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, db.Migrate(t.Context()))
	return db
}

func newAccounts(t *testing.T, users booking.Users) *auth.Accounts {
	t.Helper()
	tokens, err := auth.NewTokens([][]byte{[]byte(signingKey)}, auth.DefaultAccessTTL, auth.DefaultRefreshTTL)
	require.NoError(t, err)
	hasher, err := auth.NewHasher(auth.Cost{MemoryKiB: 8, Passes: 1, Lanes: 1}) // costs nothing
	require.NoError(t, err)
	services, err := auth.ParseServiceTokens([]byte(serviceToken))
	require.NoError(t, err)
	return &auth.Accounts{
		Users: users, Tokens: tokens, Hasher: hasher, Services: services,
		Throttle: auth.NewThrottle(auth.DefaultLoginFailures),
	}
}

func newTrains(t *testing.T, db *sqlite.DB, rules booking.HoldRules) *actors.System {
	t.Helper()
	trains := actors.New(actors.Options{Store: db, Holds: db, Rules: rules})
	require.NoError(t, trains.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, trains.Stop(ctx))
	})
	return trains
}

// request is a request as a test writes it.
type request struct {
	method, path string
	token        string
	body         string // sent as application/json
	header       http.Header
}

// reply is an answer that keeps what openapi.yaml promises: do looked.
type reply struct {
	status int
	header http.Header
	text   string
	json   any
}

// field returns a member of the object that the answer is, or of one within: "token.access".
func (r reply) field(t *testing.T, path string) any {
	t.Helper()
	value := r.json
	for _, name := range strings.Split(path, ".") {
		fields, ok := value.(map[string]any)
		require.True(t, ok, "%s in %s", path, r.text)
		value = fields[name]
	}
	return value
}

func (r reply) str(t *testing.T, path string) string {
	t.Helper()
	s, ok := r.field(t, path).(string)
	require.True(t, ok, "%s in %s", path, r.text)
	return s
}

// fields returns the names of the fields at fault.
func (r reply) fields(t *testing.T) []string {
	t.Helper()
	var names []string
	for name := range r.field(t, "fields").(map[string]any) {
		names = append(names, name)
	}
	return names
}

// do sends a request and holds the answer against openapi.yaml.
func (s *site) do(t *testing.T, in request) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), in.method, s.url+in.path, strings.NewReader(in.body))
	require.NoError(t, err)
	if in.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if in.token != "" {
		r.Header.Set("Authorization", "Bearer "+in.token)
	}
	for name, values := range in.header {
		r.Header[name] = values
	}
	response, err := s.client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	out := reply{status: response.StatusCode, header: response.Header, text: string(text)}
	if strings.Contains(response.Header.Get("Content-Type"), "json") && len(text) > 0 {
		require.NoError(t, json.Unmarshal(text, &out.json), out.text)
	}
	requireDocumented(t, s.server, in, out)
	return out
}

// post and get are do for most requests.
func (s *site) post(t *testing.T, token, path, body string) reply {
	t.Helper()
	return s.do(t, request{method: "POST", path: path, token: token, body: body})
}

func (s *site) get(t *testing.T, token, path string) reply {
	t.Helper()
	return s.do(t, request{method: "GET", path: path, token: token})
}

// requireProblem checks an error; sentence "" is any.
func requireProblem(t *testing.T, status int, code booking.Code, sentence string, r reply) {
	t.Helper()
	require.Equal(t, status, r.status, r.text)
	require.Equal(t, "application/problem+json", r.header.Get("Content-Type"))
	require.Equal(t, string(code), r.str(t, "code"), r.text)
	require.Equal(t, r.header.Get("X-Request-Id"), r.str(t, "instance"))
	if sentence != "" {
		require.Equal(t, sentence, r.str(t, "error"))
	}
}

// requireInvalid checks that exactly these fields are at fault.
func requireInvalid(t *testing.T, r reply, fields ...string) {
	t.Helper()
	requireProblem(t, 400, booking.CodeInvalidRequest, "", r)
	require.ElementsMatch(t, fields, r.fields(t), r.text)
}

// user makes an account and returns its access token.
func (s *site) user(t *testing.T, name string) (token string) {
	t.Helper()
	r := s.post(t, "", "/user/register/", registration(name))
	require.Equal(t, 201, r.status, r.text)
	return s.login(t, name)
}

// admin makes an account that is an admin's.
func (s *site) admin(t *testing.T) (token string) {
	t.Helper()
	_, err := s.accounts.CreateAdmin(t.Context(), auth.Registration{
		Username: "root", Email: "root@example.org", Password: password, Password2: password,
	})
	require.NoError(t, err)
	return s.login(t, "root")
}

func (s *site) login(t *testing.T, name string) (token string) {
	t.Helper()
	r := s.post(t, "", "/user/login/", `{"username":"`+name+`","password":"`+password+`"}`)
	require.Equal(t, 200, r.status, r.text)
	return r.str(t, "token.access")
}

func registration(name string) string {
	return `{"username":"` + name + `","email":"` + name + `@example.org","password":"` + password + `","password2":"` + password + `"}`
}

// train makes a train of ten seats that calls at the stations.
func (s *site) train(t *testing.T, stations ...string) booking.TrainID {
	t.Helper()
	train := booking.Train{Name: "Shatabdi Express", Capacity: 10, OnSale: true}
	for _, station := range stations {
		train.Stops = append(train.Stops, booking.Stop{Station: station})
	}
	made, err := s.trains.CreateTrain(t.Context(), train)
	require.NoError(t, err)
	return made.ID
}

// lock holds seat n and returns the answer of book-ticket.
func (s *site) lock(t *testing.T, token string, id booking.TrainID, n string) reply {
	t.Helper()
	r := s.post(t, token, "/train/book-ticket/", `{"train_id":"`+id.String()+`","seat_number":`+n+`}`)
	require.Equal(t, 200, r.status, r.text)
	return r
}
