package cluster_test

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/auth"
	apiclient "trainbooking.dev/api/client"
	"trainbooking.dev/booking"
	"trainbooking.dev/booking/bookingtest"
)

// Three processes, to which requests go in turn, are one booking.Service: they do what a
// single embedded one does.
func TestThreeProcessesDoWhatEveryServiceMust(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	clusters := map[booking.HoldRules]booking.Service{}
	bookingtest.Exercise(t, func(_ *testing.T, rules booking.HoldRules) booking.Service {
		mu.Lock()
		defer mu.Unlock()
		if clusters[rules] == nil {
			clusters[rules] = everybodyOf(t, startCluster(t, 3, "--hold-ttl", rules.TTL.String()))
		}
		return clusters[rules]
	})
}

// everybodyOf is a client of the cluster for any user; nobody in particular is its admin.
// The tokens are made here, with the secret that the processes have: users have no
// accounts, which would be dear to make.
func everybodyOf(t *testing.T, c *cluster) *apiclient.Client {
	t.Helper()
	secret, err := os.ReadFile(c.secret)
	require.NoError(t, err)
	keys, err := auth.ParseSecret(secret)
	require.NoError(t, err)
	tokens, err := auth.NewTokens(keys, auth.DefaultAccessTTL, auth.DefaultRefreshTTL)
	require.NoError(t, err)
	hasher, err := auth.NewHasher(auth.Cost{MemoryKiB: 8, Passes: 1, Lanes: 1}) // costs nothing
	require.NoError(t, err)
	const password = "correct horse"
	hash, err := hasher.Hash(t.Context(), password)
	require.NoError(t, err)
	accounts := &auth.Accounts{Users: everybody{hash: hash}, Tokens: tokens, Hasher: hasher}
	everyone, err := apiclient.New(apiclient.Options{
		URL: c.url,
		Token: func(ctx context.Context, user uuid.UUID) (string, error) {
			if user == uuid.Nil {
				return c.admin.Token, nil
			}
			pair, err := accounts.Login(ctx, user.String(), password, "192.0.2.1")
			return pair.Access, err
		},
	})
	require.NoError(t, err)
	t.Cleanup(everyone.CloseIdleConnections)
	return everyone
}

// everybody is a store in which whoever is asked for has an account.
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
