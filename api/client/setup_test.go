package client_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/api"
	"trainbooking.dev/api/auth"
	"trainbooking.dev/api/client"
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
	accounts *auth.Accounts
	handler  http.Handler
	url      string
}

// newTestServer starts a service with these rules. If wrap is not nil, the API serves the
// wrapped service.
func newTestServer(tb testing.TB, rules booking.HoldRules, wrap func(booking.Service) booking.Service) *testServer {
	tb.Helper()
	db, err := sqlite.Open(tb.Context(), tb.TempDir(), sqlite.Options{})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	require.NoError(tb, db.Migrate(tb.Context()))
	trains := actors.New(actors.Options{Store: db, Holds: db, Rules: rules})
	require.NoError(tb, trains.Start(tb.Context()))
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(tb, trains.Stop(ctx))
	})
	var service booking.Service = trains
	if wrap != nil {
		service = wrap(service)
	}
	s := &testServer{accounts: newAccounts(tb)}
	server, err := api.New(api.Options{Service: service, Accounts: s.accounts, Users: s.accounts.Users, Replies: db})
	require.NoError(tb, err)
	s.handler = server.Handler()
	listener := httptest.NewUnstartedServer(nil)
	listener.Config, listener.Listener = server.HTTPServer(), api.Listener(listener.Listener)
	listener.Start()
	tb.Cleanup(listener.Close)
	s.url = listener.URL
	return s
}

func newAccounts(tb testing.TB) *auth.Accounts {
	tb.Helper()
	tokens, err := auth.NewTokens([][]byte{[]byte(signingKey)}, auth.DefaultAccessTTL, auth.DefaultRefreshTTL)
	require.NoError(tb, err)
	hasher, err := auth.NewHasher(auth.Cost{MemoryKiB: 8, Passes: 1, Lanes: 1}) // the minimum, to be fast
	require.NoError(tb, err)
	services, err := auth.ParseServiceTokens([]byte(serviceToken))
	require.NoError(tb, err)
	hash, err := hasher.Hash(tb.Context(), password)
	require.NoError(tb, err)
	return &auth.Accounts{Users: anyUser{hash: hash}, Tokens: tokens, Hasher: hasher, Services: services}
}

// token is Options.Token for any user. The zero user is the admin.
func (s *testServer) token(ctx context.Context, user uuid.UUID) (string, error) {
	if user == uuid.Nil {
		user = admin
	}
	tokens, err := s.accounts.Login(ctx, user.String(), password, "192.0.2.1")
	return tokens.Access, err
}

var admin = uuid.MustParse("00000000-0000-4000-8000-00000000ad31")

// anyUser is a store in which every id is a user. bookingtest.Exercise has hundreds of users,
// and registering each of them would slow it down.
type anyUser struct {
	booking.Users
	hash string
}

func (u anyUser) FindUser(_ context.Context, id uuid.UUID) (booking.User, error) {
	return booking.User{ID: id, Username: id.String(), PasswordHash: u.hash, IsAdmin: id == admin}, nil
}

func (u anyUser) FindUserByName(ctx context.Context, name string) (booking.User, error) {
	id, err := uuid.Parse(name)
	if err != nil {
		return booking.User{}, booking.NotFound("user")
	}
	return u.FindUser(ctx, id)
}

func (anyUser) SaveRefreshToken(context.Context, booking.RefreshToken) error { return nil }

// open returns a client of the test server for any user. set changes its options.
func (s *testServer) open(tb testing.TB, set ...func(*client.Options)) *client.Client {
	tb.Helper()
	return open(tb, append([]func(*client.Options){func(o *client.Options) {
		o.URL, o.Token = s.url, s.token
	}}, set...)...)
}

func open(tb testing.TB, set ...func(*client.Options)) *client.Client {
	tb.Helper()
	var options client.Options
	for _, change := range set {
		change(&options)
	}
	c, err := client.New(options)
	require.NoError(tb, err)
	tb.Cleanup(c.CloseIdleConnections)
	return c
}

// rules returns the default rules.
func rules() booking.HoldRules {
	return booking.HoldRules{TTL: booking.DefaultHoldTTL, MaxSeats: booking.DefaultMaxHolds}
}

// draft returns a train that stops at A, B and C.
func draft() booking.Train {
	return booking.Train{
		ID: booking.NewTrainID(), Name: "Shatabdi Express", Capacity: 10, OnSale: true,
		Stops: []booking.Stop{{Station: "A"}, {Station: "B"}, {Station: "C"}},
	}
}

func create(tb testing.TB, c *client.Client) booking.Train {
	tb.Helper()
	train, err := c.CreateTrain(tb.Context(), draft())
	require.NoError(tb, err)
	return train
}
