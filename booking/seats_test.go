package booking_test

import (
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/booking"
)

// A snapshot once copied all seats: 320 kB for each change of the longest train. Other tests would
// allocate meanwhile, so this one is not parallel.
func TestPublishingAHoldCopiesFewSeats(t *testing.T) { //nolint:paralleltest // see above
	m := booking.NewSeatMap(lineABCD(booking.MaxCapacity))
	for n := 1; n <= booking.MaxCapacity; n += 10 {
		booked(t, m, anna, "C", "D", noon, n)
	}
	m.Snapshot()
	const holds = 500
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for n := range holds {
		publishHold(t, m, 1+n*37)
	}
	runtime.ReadMemStats(&after)
	require.Less(t, (after.TotalAlloc-before.TotalAlloc)/holds, uint64(16<<10), "bytes for each hold")
}

// seatStates are the states of all seats, by segment.
type seatStates map[booking.Legs][]booking.Seat

func statesOf(s *booking.Snapshot) seatStates {
	states := seatStates{}
	for from := range 3 {
		for to := from + 1; to <= 3; to++ {
			segment := booking.Segment(from, to)
			states[segment] = s.Seats(segment)
		}
	}
	return states
}

func TestSnapshotsOfManySeatsNeverChange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		capacities := rapid.SampledFrom([]int{1, 63, 64, 65, 127, 128, 129, 200})
		m := booking.NewSeatMap(lineABCD(capacities.Draw(t, "capacity")))
		now := noon
		taken := map[*booking.Snapshot]seatStates{}
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) {
				if s := m.Snapshot(); taken[s] == nil {
					taken[s] = statesOf(s)
				}
			},
			"hold": func(t *rapid.T) {
				legs := rapid.SampledFrom([][2]string{{"A", "B"}, {"B", "C"}, {"C", "D"}, {"A", "D"}}).Draw(t, "legs")
				seats := rapid.SliceOfNDistinct(rapid.IntRange(1, m.Train().Capacity), 1, 4, rapid.ID[int]).Draw(t, "seats")
				h, _, err := m.Hold(booking.HoldRequest{
					ID: booking.NewHoldID(m.Train().ID), User: uuid.New(), Seats: seats, From: legs[0], To: legs[1],
				}, rules, none, now)
				if err != nil {
					return
				}
				m.HoldWritten(h.ID)
				if rapid.Bool().Draw(t, "confirm") {
					b, id, _, err := m.Confirm(booking.HoldRef{User: h.User, Hold: h.ID}, none, now)
					require.NoError(t, err)
					m.Booked(id, b)
				}
			},
			"expire": func(*rapid.T) {
				now = now.Add(time.Minute)
				m.Expire(now)
			},
			"change": func(t *rapid.T) {
				to := *m.Train()
				to.Capacity = capacities.Draw(t, "capacity")
				if m.CheckChange(to) == nil {
					m.Change(to)
				}
			},
		})
		for s, states := range taken {
			require.Equal(t, states, statesOf(s))
			for segment, seats := range states {
				requireAgrees(t, s, segment, seats)
			}
		}
	})
}

// requireAgrees checks the tally and the list of a segment.
func requireAgrees(t *rapid.T, s *booking.Snapshot, segment booking.Legs, seats []booking.Seat) {
	tally := booking.Tally{}
	var free []string
	for _, seat := range seats {
		switch seat.State {
		case booking.SeatBooked:
			tally.Booked++
		case booking.SeatHeld:
			tally.Held++
		case booking.SeatAvailable:
			tally.Available++
			free = append(free, strconv.Itoa(seat.Number))
		}
	}
	require.Equal(t, tally, s.Tally(segment))
	require.Equal(t, "["+strings.Join(free, ",")+"]", s.SeatList(segment).String())
}

// TestAFreedSeatOfAFullTrainIsAnAlternative frees a seat after a refusal that has looked at all seats, with and
// without a snapshot in between.
func TestAFreedSeatOfAFullTrainIsAnAlternative(t *testing.T) {
	t.Parallel()
	const capacity, last = 100, 77
	for _, published := range []bool{false, true} {
		m := booking.NewSeatMap(lineABCD(capacity))
		var h booking.Hold
		for n := 1; n <= capacity; n++ {
			h = held(t, m, uuid.New(), "A", "C", noon, 1+(n+last-1)%capacity)
		}
		require.Equal(t, []int{last}, h.Seats)
		alternatives := func(from, to string) []int {
			_, _, err := m.Hold(booking.HoldRequest{User: anna, Seats: []int{5}, From: from, To: to}, rules, none, noon)
			e, ok := errors.AsType[*booking.Error](err)
			require.True(t, ok, "%v", err)
			return e.Alternatives
		}
		require.Empty(t, alternatives("A", "B"))
		if published {
			m.Snapshot()
		}
		_, err := m.Release(booking.HoldRef{User: h.User, Hold: h.ID}, none, noon)
		require.NoError(t, err)
		m.Released(h.ID)
		require.Equal(t, []int{last}, alternatives("A", "B"))
		require.Equal(t, []int{last}, alternatives("B", "D"))
		held(t, m, uuid.New(), "C", "D", noon, 5, 6)
	}
}
