package main_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	main "trainbooking.dev/cmd/trainbooking"
)

var (
	errAway  = errors.New("connection refused")
	errWrong = errors.New("wrong settings")
)

func TestWhatIsNotUpYetIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log, began := slog.New(slog.NewTextHandler(&out, nil)), time.Now()
		err := main.Await(t.Context(), log, errWrong, func() error {
			if time.Since(began) < 12*time.Second {
				return errAway
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, 12*time.Second, time.Since(began))
		require.Equal(t, 3, strings.Count(out.String(), `msg="waiting for Postgres" error="connection refused"`))
	})
}

func TestWaitingEndsAfterAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err := main.Await(t.Context(), slog.New(slog.DiscardHandler), errWrong, func() error { return errAway })
		require.EqualError(t, err, "Postgres is still out of reach after 1m0s: "+
			"see to it that it runs and that --database-url leads to it: connection refused")
		require.Equal(t, time.Minute, time.Since(began))
	})
}

func TestWhatWaitingCannotHelpFailsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err := main.Await(t.Context(), slog.New(slog.DiscardHandler), errWrong, func() error { return errWrong })
		require.ErrorIs(t, err, errWrong)
		require.Zero(t, time.Since(began))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err = main.Await(ctx, slog.New(slog.DiscardHandler), errWrong, func() error { return errAway })
		require.ErrorIs(t, err, context.Canceled, "told to end meanwhile")
	})
}
