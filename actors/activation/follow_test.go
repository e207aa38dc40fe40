package activation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// serviceDay is the date of the departure that follows.
const serviceDay = booking.Date(2527)

// ofLine returns a schedule with the stations of line.
func ofLine() booking.Schedule {
	return booking.Schedule{
		ID: booking.DerivedScheduleID("line"), Name: line.Name, Capacity: line.Capacity, OnSale: true, TimeZone: "UTC",
		Calendar: booking.Calendar{Days: booking.EveryDay, From: serviceDay, Until: serviceDay},
		Stops: []booking.StopTime{
			{Station: "A", Departs: booking.LocalTimeOf(20 * time.Hour)},
			{Station: "B"},
			{Station: "C", Arrives: booking.LocalTimeOf(22 * time.Hour)},
		},
		SoldDaysAhead: 30,
	}
}

// departing returns a driver that serves the departure of ofLine, which follows its definition 3.
func departing(t *testing.T) *driver {
	t.Helper()
	d, schedule := newDriver(t, activation.Handoff{}), ofLine()
	d.train = schedule.Train(serviceDay)
	d.train.ID, d.train.Follows = line.ID, 3
	d.load(persistence.LoadedTrain{})
	return d
}

func follow(from int64, after booking.Schedule) activation.Follow {
	return activation.Follow{Date: serviceDay, Before: ofLine(), After: after, From: from, To: from + 4}
}

func TestDepartureFollowsItsSchedule(t *testing.T) {
	t.Parallel()
	d := departing(t)
	after := ofLine()
	after.Name, after.Capacity = "Changed", 9
	r := d.request(follow(3, after))
	written := take[*activation.WriteChange](d)
	require.EqualValues(t, 7, written.To.Follows)
	require.Equal(t, 9, written.To.Capacity)
	d.deliver(activation.Written{Write: written})
	require.Equal(t, "Changed", d.responses[r].Value.(booking.Train).Name)

	r = d.request(follow(3, ofLine()))
	require.Empty(t, d.code(r))
	require.Empty(t, d.asked, "it follows a later definition already")
	r = d.request(activation.Delete{Force: true, Follows: 3})
	require.Empty(t, d.code(r))
	require.Empty(t, d.asked, "the deletion is that of an earlier schedule")
}

func TestDepartureWithTakenSeatsIsWithdrawnNotDropped(t *testing.T) {
	t.Parallel()
	d := departing(t)
	schedule := ofLine()
	ended := schedule.Ended()
	hold := d.request(holdOf(1))
	r := d.request(follow(3, ended))
	require.NotContains(t, d.responses, r, "it waits for the hold")
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d)})
	require.Empty(t, d.code(hold))
	written := take[*activation.WriteChange](d)
	require.False(t, written.To.OnSale)
	d.deliver(activation.Written{Write: written})
	require.Empty(t, d.code(r))
	require.Equal(t, booking.CodeNotOnSale, d.code(d.request(holdOf(2))))
}

func TestDepartureWithoutTakenSeatsIsDropped(t *testing.T) {
	t.Parallel()
	d := departing(t)
	schedule := ofLine()
	r := d.request(follow(3, schedule.Ended()))
	written := take[*activation.WriteDeletion](d)
	require.False(t, written.Force)
	require.False(t, written.Cancels, "the schedule may run on its date again")
	d.deliver(activation.Written{Write: written})
	require.Empty(t, d.code(r))
	require.NotNil(t, d.closed)
}

func TestActivationOfADepartureIsRepeatedIfItsScheduleHasChanged(t *testing.T) {
	t.Parallel()
	d := newDriver(t, activation.Handoff{})
	d.deliver(activation.Start{})
	take[activation.FindEpoch](d)
	d.deliver(activation.EpochFound{})
	take[activation.AcquireLease](d)
	d.deliver(activation.LeaseAcquired{Term: d.term})
	r := d.request(holdOf(1))
	take[activation.Adopt](d)
	d.deliver(activation.Adopted{Err: persistence.ErrStale})
	require.Equal(t, activation.Response{Retry: true}, d.responses[r])
	require.NotNil(t, d.closed)
}
