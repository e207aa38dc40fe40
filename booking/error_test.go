package booking_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

func TestCodeIsFoundThroughWrapping(t *testing.T) {
	t.Parallel()
	for want, err := range map[booking.Code]error{
		"":                     nil,
		booking.CodeInternal:   io.EOF,
		booking.CodeNotFound:   booking.NotFound("train"),
		booking.CodeTimeout:    fmt.Errorf("call: %w", booking.Timeout(io.EOF)),
		booking.CodeSeatBooked: errors.Join(io.EOF, &booking.Error{Code: booking.CodeSeatBooked}),
	} {
		require.Equal(t, want, booking.CodeOf(err))
	}
}

func TestErrorsOfTheSameCodeMatch(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("find: %w", booking.NotFound("train"))
	require.ErrorIs(t, err, &booking.Error{Code: booking.CodeNotFound})
	require.NotErrorIs(t, err, &booking.Error{Code: booking.CodeSeatBooked})
	require.NotErrorIs(t, err, io.EOF)
	require.EqualError(t, err, "find: not_found: No such train")
}

func TestCauseIsNotInTheMessage(t *testing.T) {
	t.Parallel()
	err := booking.Unavailable(booking.OutcomeNotExecuted, time.Second, io.EOF)
	require.ErrorIs(t, err, io.EOF)
	require.ErrorContains(t, err, "EOF")
	require.NotContains(t, err.Message, "EOF")
	require.Equal(t, time.Second, err.RetryAfter)
	require.Equal(t, booking.OutcomeNotExecuted, err.Outcome)
	require.Equal(t, booking.OutcomeUnknown, booking.Timeout(io.EOF).Outcome, "it may have been executed")
}

func TestInvalidWithoutFieldsIsNil(t *testing.T) {
	t.Parallel()
	require.NoError(t, booking.Invalid(nil))
	require.NoError(t, booking.Invalid(map[string]string{}))
	err := booking.InvalidField("seats", "must not be empty")
	require.Equal(t, error(err), booking.Invalid(map[string]string{"seats": "must not be empty"}))
	require.Equal(t, booking.CodeInvalidRequest, err.Code)
}
