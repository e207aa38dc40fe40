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
	errRefused  = errors.New("connection refused")
	errSettings = errors.New("wrong settings")
)

func TestAwaitWaitsForADependency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log, began := slog.New(slog.NewTextHandler(&out, nil)), time.Now()
		err := main.Await(t.Context(), log, errSettings, func() error {
			if time.Since(began) < 12*time.Second {
				return errRefused
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, 12*time.Second, time.Since(began))
		require.Equal(t, 3, strings.Count(out.String(), `msg="waiting for Postgres" error="connection refused"`))
	})
}

func TestAwaitFailsAfterAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err := main.Await(t.Context(), slog.New(slog.DiscardHandler), errSettings, func() error { return errRefused })
		require.EqualError(t, err, "Postgres is still out of reach after 1m0s: "+
			"check that it runs and that --database-url is correct: connection refused")
		require.Equal(t, time.Minute, time.Since(began))
	})
}

func TestAwaitFailsAtOnceAfterAPermanentError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err := main.Await(t.Context(), slog.New(slog.DiscardHandler), errSettings, func() error { return errSettings })
		require.ErrorIs(t, err, errSettings)
		require.Zero(t, time.Since(began))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err = main.Await(ctx, slog.New(slog.DiscardHandler), errSettings, func() error { return errRefused })
		require.ErrorIs(t, err, context.Canceled, "cancelled while it waits")
	})
}
