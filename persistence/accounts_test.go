package persistence_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/sqlite"
)

func TestClientErrorHasTheCodeForTheClient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err     error
		code    booking.Code
		outcome booking.Outcome
	}{
		{nil, "", ""},
		{booking.NotFound("user"), booking.CodeNotFound, ""},
		{persistence.ErrNotFound, booking.CodeNotFound, ""},
		{persistence.ErrFull, booking.CodeStorageFull, booking.OutcomeNotExecuted},
		{persistence.ErrUnknown, booking.CodeUnavailable, booking.OutcomeUnknown},
		{context.DeadlineExceeded, booking.CodeTimeout, booking.OutcomeUnknown},
		{errors.New("connection refused"), booking.CodeUnavailable, booking.OutcomeNotExecuted},
	} {
		err := c.err
		if err != nil {
			err = fmt.Errorf("operation: %w", err)
		}
		converted := persistence.ClientError(err)
		require.Equal(t, c.code, booking.CodeOf(converted), "%v", c.err)
		if e, ok := errors.AsType[*booking.Error](converted); ok {
			require.Equal(t, c.outcome, e.Outcome, "%v", c.err)
		}
	}
}

func TestAccountsOfAClosedStoreAreUnavailable(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	require.NoError(t, err)
	require.NoError(t, db.Close())
	a, ctx, id := persistence.Accounts{Store: db}, t.Context(), uuid.New()
	for name, call := range map[string]func() error{
		"CreateUser":         func() error { return a.CreateUser(ctx, booking.User{}) },
		"FindUser":           func() error { _, err := a.FindUser(ctx, id); return err },
		"FindUserByName":     func() error { _, err := a.FindUserByName(ctx, "asha"); return err },
		"ListUsers":          func() error { _, err := a.ListUsers(ctx, booking.PageRequest{}); return err },
		"SetPassword":        func() error { return a.SetPassword(ctx, id, "old", "new") },
		"SetDisabled":        func() error { _, err := a.SetDisabled(ctx, id, true); return err },
		"DeleteUser":         func() error { return a.DeleteUser(ctx, id, time.Now()) },
		"SaveRefreshToken":   func() error { return a.SaveRefreshToken(ctx, booking.RefreshToken{}) },
		"RotateRefreshToken": func() error { _, err := a.RotateRefreshToken(ctx, id, booking.RefreshToken{}); return err },
		"RevokeFamily":       func() error { return a.RevokeFamily(ctx, id, id) },
		"ReserveKey": func() error {
			_, err := a.ReserveKey(ctx, id, "key", booking.Reservation{}, time.Now())
			return err
		},
		"ReleaseKey": func() error { return a.ReleaseKey(ctx, id, "key", id, nil) },
	} {
		require.Equal(t, booking.CodeUnavailable, booking.CodeOf(call()), name)
	}
}
