package booking_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

var ravi = uuid.UUID{15: 2}

// Somebody else wanted seat 2. Neither the release of seat 1 nor that of seat 3 keeps its user from any seat,
// since 2 is still held.
func TestReleaseOfAPartConcernsOnlyItsSeats(t *testing.T) {
	t.Parallel()
	rules := rules
	rules.ReholdPause = time.Hour
	m := booking.NewSeatMap(lineABCD(3))
	h := held(t, m, anna, "A", "D", noon, 1, 2, 3)
	request := booking.HoldRequest{ID: booking.NewHoldID(h.ID.Train()), User: ravi, Seats: []int{2}}
	_, _, err := m.Hold(request, rules, none, noon)
	requireCode(t, booking.CodeSeatLocked, err)
	release := func(seats ...int) {
		_, err := m.Release(booking.HoldRef{User: anna, Hold: h.ID, Seats: seats}, none, noon)
		require.NoError(t, err)
		m.Released(h.ID)
	}
	hold := func(seat int) error {
		request := booking.HoldRequest{ID: booking.NewHoldID(h.ID.Train()), User: anna, Seats: []int{seat}}
		made, _, err := m.Hold(request, rules, none, noon)
		m.HoldWritten(made.ID)
		return err
	}
	release(1)
	require.NoError(t, hold(1))
	b, _, _, err := m.Confirm(booking.HoldRef{User: anna, Hold: h.ID, Seats: []int{2}}, none, noon)
	require.NoError(t, err)
	m.Booked(h.ID, b)
	m.Cancelled(b.ID)
	require.NoError(t, hold(2), "its hold ended with a booking")
	release(3)
	require.NoError(t, hold(3))
}

func TestReleasedPartThatSomebodyElseWantedIsNotHeldAgainAtOnce(t *testing.T) {
	t.Parallel()
	rules := rules
	rules.ReholdPause = time.Hour
	m := booking.NewSeatMap(lineABCD(3))
	h := held(t, m, anna, "A", "D", noon, 1, 2)
	request := booking.HoldRequest{ID: booking.NewHoldID(h.ID.Train()), User: ravi, Seats: []int{2}}
	_, _, err := m.Hold(request, rules, none, noon)
	requireCode(t, booking.CodeSeatLocked, err)
	_, err = m.Release(booking.HoldRef{User: anna, Hold: h.ID, Seats: []int{2}}, none, noon)
	require.NoError(t, err)
	m.Released(h.ID)
	request.User = anna
	_, _, err = m.Hold(request, rules, none, noon)
	requireCode(t, booking.CodeHeldTooLong, err)
}
