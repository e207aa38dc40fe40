package redis_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
)

func TestLeaseWithTooLongATTLIsRemoved(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	id := booking.NewTrainID()
	key := "{t:" + id.String() + "}:lease"
	for name, change := range map[string]func() error{
		"an hour":  func() error { return s.raw.PExpire(t.Context(), key, time.Hour).Err() },
		"no end":   func() error { return s.raw.Persist(t.Context(), key).Err() },
		"a second": func() error { return s.raw.PExpire(t.Context(), key, persistence.LeaseTTL+time.Second).Err() },
	} {
		held := guardOf(newLease(id))
		guard := s.adopt(t, id)
		require.NoError(t, change(), name)
		_, err := persistencetest.AcquireLease(t.Context(), s, persistence.Lease{Train: id, Address: here, Owner: held.Owner})
		require.ErrorIs(t, err, persistence.ErrConflict, name)
		results, err := s.WriteHolds(t.Context(), puts(guard, 1))
		require.NoError(t, err)
		require.ErrorIs(t, results[0], persistence.ErrFenced, name)
		s.write(t, puts(s.adopt(t, id), 1)...)
	}
}

func TestRenewalCorrectsTheTTL(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	lease := newLease(booking.NewTrainID())
	_, err := persistencetest.AcquireLease(t.Context(), s, lease)
	require.NoError(t, err)
	key := "{t:" + lease.Train.String() + "}:lease"
	require.NoError(t, s.raw.PExpire(t.Context(), key, time.Hour).Err())
	_, err = s.RenewLeases(t.Context(), []persistence.Lease{lease})
	require.NoError(t, err)
	require.LessOrEqual(t, s.raw.PTTL(t.Context(), key).Val(), persistence.LeaseTTL)
}

func TestErrorOfAMalformedLeaseHasItsKey(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	for _, value := range []string{"", "text", "|", "host:1|x", uuid.NewString()} {
		id := booking.NewTrainID()
		key := "{t:" + id.String() + "}:lease"
		require.NoError(t, s.raw.Set(t.Context(), key, value, time.Second).Err())
		_, err := persistencetest.AcquireLease(t.Context(), s, newLease(id))
		require.ErrorContains(t, err, key)
	}
}
