package processtest

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/auth"
	apiclient "trainbooking.dev/api/client"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/traffic"
)

// SearchTime bounds the search for an order of the operations on one leg of one seat.
const SearchTime = 2 * time.Minute

// NewUsers returns the ids of new users, for Passengers.
func NewUsers(n int) []uuid.UUID {
	users := make([]uuid.UUID, n)
	for i := range users {
		users[i] = uuid.New()
	}
	return users
}

// Passengers returns the service at url for any user id. It signs the tokens of users with the
// secret of the processes, so that users need not register. Calls without a user are sent with
// the token of the admin.
func Passengers(t *testing.T, url, secretFile string, admin *Client) *apiclient.Client {
	t.Helper()
	secret, err := os.ReadFile(secretFile)
	require.NoError(t, err)
	keys, err := auth.ParseSecret(secret)
	require.NoError(t, err)
	tokens, err := auth.NewTokens(keys, auth.DefaultRefreshTTL, auth.DefaultRefreshTTL)
	require.NoError(t, err)
	hasher, err := auth.NewHasher(auth.Cost{MemoryKiB: 8, Passes: 1, Lanes: 1})
	require.NoError(t, err)
	hash, err := hasher.Hash(t.Context(), Password)
	require.NoError(t, err)
	accounts := &auth.Accounts{Users: anyUser{hash: hash}, Tokens: tokens, Hasher: hasher}
	var tokenOf sync.Map
	service, err := apiclient.New(apiclient.Options{
		URL: url, Timeout: Timeout,
		Token: func(ctx context.Context, user uuid.UUID) (string, error) {
			if user == uuid.Nil {
				return admin.Token, nil
			}
			if token, found := tokenOf.Load(user); found {
				return token.(string), nil
			}
			login, err := accounts.Login(ctx, user.String(), Password, "192.0.2.1")
			if err == nil {
				tokenOf.Store(user, login.Access)
			}
			return login.Access, err
		},
	})
	require.NoError(t, err)
	t.Cleanup(service.CloseIdleConnections)
	return service
}

// anyUser is a store in which every user exists.
type anyUser struct {
	booking.Users
	hash string
}

func (e anyUser) FindUser(_ context.Context, id uuid.UUID) (booking.User, error) {
	return booking.User{ID: id, Username: id.String(), PasswordHash: e.hash}, nil
}

func (e anyUser) FindUserByName(ctx context.Context, name string) (booking.User, error) {
	id, err := uuid.Parse(name)
	if err != nil {
		return booking.User{}, booking.NotFound("user")
	}
	return e.FindUser(ctx, id)
}

func (anyUser) SaveRefreshToken(context.Context, booking.RefreshToken) error { return nil }

// AddTrains adds trains of one leg that are on sale.
func (c *Client) AddTrains(t *testing.T, count, capacity int) (trains []booking.Train) {
	t.Helper()
	for range count {
		id, err := booking.ParseTrainID(c.AddTrain(t, capacity))
		require.NoError(t, err)
		trains = append(trains, booking.Train{
			ID: id, Capacity: capacity, Stops: []booking.Stop{{Station: "Delhi"}, {Station: "Mumbai"}},
		})
	}
	return trains
}

// ListedBookings returns the live bookings of trains as the service lists them for an admin.
// It requires that the figures of each train agree with them.
func ListedBookings(t *testing.T, service booking.Service, trains []booking.TrainID) (all []booking.Booking) {
	t.Helper()
	for _, train := range trains {
		page, err := service.TrainBookings(t.Context(), train, booking.PageRequest{})
		require.NoError(t, err)
		found, err := service.FindTrain(t.Context(), train)
		require.NoError(t, err)
		seats := 0
		for _, b := range page.Items {
			seats += len(b.Seats)
			all = append(all, b.Booking)
		}
		require.Equal(t, seats, found.Booked, "the figures of train %s", train)
		require.Equal(t, found.Train.Capacity, found.Booked+found.Held+found.Available, "I10: train %s", train)
	}
	return all
}

// StoredBookings returns all bookings in a Postgres database.
func StoredBookings(t *testing.T, database string) []booking.Booking {
	t.Helper()
	all := []booking.Booking{}
	for _, row := range servers.Query(t, database, `
		SELECT id, train_id, user_id, array_to_string(seats, ','), legs, cancelled_at IS NULL FROM bookings`) {
		b := booking.Booking{ID: uuid.MustParse(row[0]), User: uuid.MustParse(row[2])}
		var err error
		b.Train, err = booking.ParseTrainID(row[1])
		require.NoError(t, err)
		for number := range strings.SplitSeq(row[3], ",") {
			seat, err := strconv.Atoi(number)
			require.NoError(t, err)
			b.Seats = append(b.Seats, seat)
		}
		legs, err := strconv.ParseUint(row[4], 10, 64)
		require.NoError(t, err)
		b.Legs = booking.Legs(legs)
		if row[5] != "t" {
			b.CancelledAt = time.Unix(0, 0)
		}
		all = append(all, b)
	}
	return all
}

// RequireConsistent stops the traffic and checks its history against the bookings in the store
// (see history.History.Check). It also requires that the service lists the live ones.
func RequireConsistent(t *testing.T, tr *traffic.Traffic, service booking.Service, stored []booking.Booking) {
	t.Helper()
	tr.Stop()
	h := tr.History()
	h.Stored = stored
	found := h.Check(SearchTime)
	t.Logf("%d requests, %d of them failed; %d bookings; %d registers checked in %s",
		len(h.Operations), len(tr.Failed()), tr.Bookings(), found.Registers, found.Took.Round(time.Millisecond))
	require.Empty(t, found.Problems)
	require.NotZero(t, tr.Bookings(), "nothing was booked")

	var live, listed []uuid.UUID
	trains := h.Trains()
	for _, b := range stored {
		if slices.Contains(trains, b.Train) && b.CancelledAt.IsZero() {
			live = append(live, b.ID)
		}
	}
	for _, b := range ListedBookings(t, service, trains) {
		listed = append(listed, b.ID)
	}
	require.ElementsMatch(t, live, listed, "the listed bookings")
}
