package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest/servers"
)

func TestSavingATokenPurgesExpiredOnes(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db := openAt(t, url)
	user, live := createUser(t, db)
	for range 5 {
		expired := booking.RefreshToken{ID: uuid.New(), Family: uuid.New(), User: user.ID, ExpiresAt: now().Add(-time.Hour)}
		require.NoError(t, db.SaveRefreshToken(t.Context(), expired))
	}
	rows := connect(t, url)
	require.Equal(t, 2, rows.count(`SELECT count(*) FROM refresh_tokens`), "the next token purges the last one")
	next := live
	next.ID, next.IssuedAt = uuid.New(), now()
	_, err := db.RotateRefreshToken(t.Context(), live.ID, next)
	require.NoError(t, err)
	require.Equal(t, 2, rows.count(`SELECT count(*) FROM refresh_tokens`))
	require.Zero(t, rows.count(`SELECT count(*) FROM refresh_tokens WHERE expires_at < now()`))
}

func TestReservingAKeyPurgesExpiredOnes(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	when, db := now(), openAt(t, url)
	for range 5 {
		wanted := booking.Reservation{ID: uuid.New(), ExpiresAt: when.Add(time.Hour)}
		_, err := db.ReserveKey(t.Context(), uuid.New(), "k", wanted, when)
		require.NoError(t, err)
		when = when.Add(time.Hour)
	}
	require.Equal(t, 1, connect(t, url).count(`SELECT count(*) FROM idempotency_keys`))
}
