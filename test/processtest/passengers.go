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

// searchTime bounds the check of one leg of one seat.
const searchTime = 2 * time.Minute

// NewUsers returns the ids of users for whom Passengers makes tokens.
func NewUsers(n int) []uuid.UUID {
	users := make([]uuid.UUID, n)
	for i := range users {
		users[i] = uuid.New()
	}
	return users
}

// Passengers is the service at url for any user. Their tokens are signed here with the
// secret that the processes have, so that no password is hashed for them. What no user does,
// the admin does.
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
	accounts := &auth.Accounts{Users: everybody{hash: hash}, Tokens: tokens, Hasher: hasher}
	var known sync.Map
	service, err := apiclient.New(apiclient.Options{
		URL: url, Timeout: Timeout,
		Token: func(ctx context.Context, user uuid.UUID) (string, error) {
			if user == uuid.Nil {
				return admin.Token, nil
			}
			if token, there := known.Load(user); there {
				return token.(string), nil
			}
			pair, err := accounts.Login(ctx, user.String(), Password, "192.0.2.1")
			known.Store(user, pair.Access)
			return pair.Access, err
		},
	})
	require.NoError(t, err)
	t.Cleanup(service.CloseIdleConnections)
	return service
}

// everybody is a store in which every user exists.
type everybody struct {
	booking.Users
	hash string
}

func (e everybody) FindUser(_ context.Context, id uuid.UUID) (booking.User, error) {
	return booking.User{ID: id, Username: id.String(), PasswordHash: e.hash}, nil
}

func (e everybody) FindUserByName(ctx context.Context, name string) (booking.User, error) {
	id, err := uuid.Parse(name)
	if err != nil {
		return booking.User{}, booking.NotFound("user")
	}
	return e.FindUser(ctx, id)
}

func (everybody) SaveRefreshToken(context.Context, booking.RefreshToken) error { return nil }

// AddTrains puts trains without intermediate stops on sale.
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

// ListedBookings returns the live bookings of trains as an admin sees them, and checks that
// the figures of each train agree with them.
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
		}
		require.Equal(t, seats, found.Booked, "the figures of train %s", train)
		require.Equal(t, found.Train.Capacity, found.Booked+found.Held+found.Available, "I10: train %s", train)
		all = append(all, page.Items...)
	}
	return all
}

// StoredBookings returns every booking in a database of the clustered mode.
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

// RequireKept stops the traffic and fails the test unless what the clients got fits together
// with the bookings in the store, and admins see those that are live.
func RequireKept(t *testing.T, tr *traffic.Traffic, service booking.Service, stored []booking.Booking) {
	t.Helper()
	tr.Stop()
	h := tr.History()
	h.Stored = stored
	found := h.Check(searchTime)
	t.Logf("%d requests, %d of them failed; %d bookings; %d registers checked in %s",
		len(h.Operations), len(tr.Failed()), tr.Bookings(), found.Registers, found.Took.Round(time.Millisecond))
	require.Empty(t, found.Problems)
	require.NotZero(t, tr.Bookings(), "else nothing was tried")

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
	require.ElementsMatch(t, live, listed, "the bookings that admins see")
}
