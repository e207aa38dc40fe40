package booking_test

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/booking"
	"trainbooking.dev/booking/bookingtest"
)

// change changes the capacity, the departure times or whether and from when on the train is on sale.
func (m *machine) change(t *rapid.T) {
	m.advance(t)
	to := m.train
	to.OnSale, to.SalesOpenAt = true, time.Time{}
	switch rapid.IntRange(0, 10).Draw(t, "what") {
	case 0:
		to.OnSale = false
	case 10:
		to.SalesOpenAt = m.now.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "opens")) * m.rules.TTL)
		to.OnSale = rapid.Bool().Draw(t, "on sale")
	case 1:
		to.Stops = slices.Clone(to.Stops)
		to.Stops[rapid.IntRange(0, len(to.Stops)-2).Draw(t, "stop")].DepartsAt = m.now.Add(m.rules.TTL)
	case 2, 3:
		to.Stops = slices.Clone(to.Stops)
		for i := range to.Stops {
			to.Stops[i].DepartsAt = time.Time{}
		}
	default:
		to.Capacity = rapid.IntRange(1, 6).Draw(t, "capacity")
	}
	err := m.model.CheckChange(to, m.now)
	requireSameError(t, err, m.seats.CheckChange(to))
	if err != nil {
		return
	}
	m.model.Change(to)
	m.seats.Change(to)
	m.train = to
	require.Equal(t, to, *m.seats.Train())
}

// restart simulates a crash: it restores a new seat map from what the stores have, in any order.
func (m *machine) restart(t *rapid.T) {
	m.advance(t)
	stored := m.model.Restart(coin(t, "written"), coin(t, "stored"))
	stored.Bookings, stored.Holds = shuffled(t, stored.Bookings), shuffled(t, stored.Holds)
	m.seats = booking.NewSeatMap(m.train)
	_, differing := m.seats.Restore(stored, m.rules.TTL, m.now)
	require.Empty(t, differing)
}

// coin decides at random for each ticket.
func coin(t *rapid.T, label string) func(*bookingtest.Ticket) bool {
	return func(*bookingtest.Ticket) bool { return rapid.Bool().Draw(t, label) }
}

func shuffled[T any](t *rapid.T, list []T) []T {
	list = slices.Clone(list)
	for i := range list {
		j := rapid.IntRange(i, len(list)-1).Draw(t, "swap")
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// pick draws an index, which is shorter than an element in the log of a failing history.
func pick[T any](t *rapid.T, list []T, label string) T {
	return list[rapid.IntRange(0, len(list)-1).Draw(t, label)]
}
