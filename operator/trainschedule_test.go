package operator_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator"
	"trainbooking.dev/operator/v1alpha1"
)

// A difference between the two would be put at the service again and again.
func TestWantedScheduleIsTheSameAsTheServiceStores(t *testing.T) {
	t.Parallel()
	spec := v1alpha1.TrainScheduleSpec{
		Name: " Shatabdi Express", Capacity: 200, ScheduleID: "6f1b0c3e-3a46-8ad4-9d1f-2f5b00000000",
		TimeZone: "Asia/Kolkata", Days: []v1alpha1.Weekday{"sun", "mon"}, From: "2026-12-01", Until: "2027-06-30",
		Exceptions: []v1alpha1.Exception{{Date: "2027-01-31", Runs: true}, {Date: "2027-01-26"}},
		Stops: []v1alpha1.StopTime{
			{Station: "Delhi\t", Departs: "6:00"}, {Station: "Mumbai", Arrives: "25:00:00", TimeZone: "Asia/Kolkata"},
		},
	}
	want, err := operator.WantedSchedule(&v1alpha1.TrainSchedule{Spec: spec})
	require.NoError(t, err)
	require.Equal(t, booking.DefaultSoldDaysAhead, want.SoldDaysAhead)
	require.True(t, want.OnSale)
	stored, err := want.Clean()
	require.NoError(t, err)
	require.True(t, want.Same(&stored))
	require.Equal(t, []string{"2027-01-26", "2027-01-31"}, []string{want.Exceptions[0].Date.String(), want.Exceptions[1].Date.String()})
	require.Equal(t, "25:00", want.Stops[1].Arrives.String())

	spec.From, spec.Stops[0].Departs, spec.Days[0] = "soon", "late", "holiday"
	_, err = operator.WantedSchedule(&v1alpha1.TrainSchedule{Spec: spec})
	e, ok := err.(*booking.Error) //nolint:errorlint // as it is returned
	require.True(t, ok)
	require.Len(t, e.Fields, 3, "from, departs and days")
}

func TestDaysAreDescribedInAFewCharacters(t *testing.T) {
	t.Parallel()
	const (
		mon, tue, wed, thu, fri = time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday
		sat, sun                = time.Saturday, time.Sunday
	)
	for want, days := range map[string][]time.Weekday{
		"daily":           {mon, tue, wed, thu, fri, sat, sun},
		"mon-fri":         {mon, tue, wed, thu, fri},
		"sat,sun":         {sun, sat},
		"mon-wed,fri-sun": {mon, tue, wed, fri, sat, sun},
		"mon,wed,fri":     {mon, wed, fri},
		"mon,tue,thu,sun": {mon, tue, thu, sun},
		"sun":             {sun},
		"0 dates":         nil,
	} {
		require.Equal(t, want, operator.DescribeDays(&booking.Calendar{Days: booking.WeekdaysOf(days...)}))
	}
	one := booking.Calendar{Exceptions: []booking.Exception{{Date: 1}, {Date: 2, Runs: true}}}
	require.Equal(t, "1 date", operator.DescribeDays(&one))
}
