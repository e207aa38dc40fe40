package operator_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
	"trainbooking.dev/test/processtest"
)

// createSchedule creates the TrainSchedule daily, changed by edit.
func (h *harness) createSchedule(name string, edit func(spec map[string]any)) *v1alpha1.TrainSchedule {
	h.t.Helper()
	var schedule v1alpha1.TrainSchedule
	require.NoError(h.t, h.Get(h.t.Context(), h.apply(name, edited(h.t, daily, edit)), &schedule))
	return &schedule
}

func (h *harness) getSchedule(o client.Object) *v1alpha1.TrainSchedule {
	h.t.Helper()
	var schedule v1alpha1.TrainSchedule
	require.NoError(h.t, h.Get(h.t.Context(), keyOf(o), &schedule))
	return &schedule
}

// sold reports whether the TrainSchedule is Ready and has figures.
func sold(s *v1alpha1.TrainSchedule) bool { return isReady(s) && s.Status.DeparturesWithSales != nil }

// scheduleNotReady returns a condition: Ready is False for the reason, at the present generation.
func scheduleNotReady(reason string) func(*v1alpha1.TrainSchedule) bool {
	return func(s *v1alpha1.TrainSchedule) bool { return isNotReady(s, reason) }
}

// withSales returns a condition: so many departures have bookings.
func withSales(n int32) func(*v1alpha1.TrainSchedule) bool {
	return func(s *v1alpha1.TrainSchedule) bool { return sold(s) && *s.Status.DeparturesWithSales == n }
}

// divergedOn returns a condition: the departures on these dates differ, and no others.
func divergedOn(dates ...booking.Date) func(*v1alpha1.TrainSchedule) bool {
	return func(s *v1alpha1.TrainSchedule) bool {
		if d := s.Status.Diverged; !isReady(s) || d == nil || len(dates) != int(d.Count) || len(dates) != len(d.Dates) {
			return len(dates) == 0 && d == nil && isReady(s)
		}
		for i, date := range dates {
			if s.Status.Diverged.Dates[i] != date.String() {
				return false
			}
		}
		return true
	}
}

// inDays returns the date so many days after today.
func inDays(n booking.Date) booking.Date { return booking.DateOf(time.Now().UTC()) + n }

func scheduleIDOf(t *testing.T, s *v1alpha1.TrainSchedule) booking.ScheduleID {
	t.Helper()
	id, err := booking.ParseScheduleID(s.Status.ScheduleID)
	require.NoError(t, err)
	return id
}

// departureOf returns the train id of the departure on a date.
func departureOf(t *testing.T, s *v1alpha1.TrainSchedule, date booking.Date) string {
	t.Helper()
	return scheduleIDOf(t, s).Departure(date).String()
}

// findSchedule returns the service's schedule, or nil if it does not exist.
func (h *harness) findSchedule(id booking.ScheduleID) *booking.ScheduleStatus {
	h.t.Helper()
	found, err := h.trains.FindSchedule(h.t.Context(), id)
	if booking.CodeOf(err) == booking.CodeNotFound {
		return nil
	}
	require.NoError(h.t, err)
	return &found
}

// requireConfirmed requires that the passenger still has a booking.
func requireConfirmed(t *testing.T, p *processtest.Client, id string) {
	t.Helper()
	require.Contains(t, p.Must(t, http.StatusOK, "GET", "/v1/bookings/"+id, nil).String(), `"state":"confirmed"`)
}

func TestScheduleGoesOnSaleAndReportsItsDepartures(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	s := await(h, h.createSchedule("", nil), sold)
	require.Equal(t, []string{v1alpha1.Finalizer}, s.Finalizers)
	require.Equal(t, "Delhi", s.Status.From)
	require.Equal(t, "Mumbai", s.Status.To)
	require.Equal(t, "daily", s.Status.Days)
	require.Equal(t, string(s.UID)[:14]+"8"+string(s.UID)[15:28]+"00000000", s.Status.ScheduleID)
	require.Zero(t, *s.Status.DeparturesWithSales)
	require.Nil(t, s.Status.Diverged)
	found := h.findSchedule(scheduleIDOf(t, s))
	require.Equal(t, found.Next.String(), s.Status.NextDeparture)
	require.Equal(t, found.SoldUntil.String(), s.Status.SoldUntil)
	require.Contains(t, []booking.Date{inDays(60), inDays(61)}, found.SoldUntil, "by the clock in India")
	require.Equal(t, "The schedule at the service matches the spec", conditionOf(s, v1alpha1.ConditionReady).Message)
	h.awaitEvent(s, v1alpha1.EventCreated, s.Status.ScheduleID)

	requests := h.proxy.requestsFor(s, s.Status.ScheduleID)
	h.book(h.passenger(), departureOf(t, s, inDays(7)), 7)
	await(h, s, withSales(1))
	require.Equal(t, requests+1, h.proxy.requestsFor(s, s.Status.ScheduleID), "only the status was written")
}

// Nobody loses a seat unasked, whatever changes.
func TestScheduleChangesUnderBookings(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	s := await(h, h.createSchedule("", nil), sold)
	p := h.passenger()
	high, excepted, free := inDays(7), inDays(8), inDays(9)
	bookings := []string{h.book(p, departureOf(t, s, high), 150), h.book(p, departureOf(t, s, excepted), 1)}
	await(h, s, withSales(2))

	h.edit(s, func(spec map[string]any) {
		set("capacity", 100)(spec)
		exceptions(excepted.String())(spec)
		calls("Delhi - 07:00", "Jaipur 11:30 11:35", "Mumbai 26:00")(spec)
	})
	s = await(h, s, divergedOn(high, excepted))
	require.Equal(t, v1alpha1.ReasonSynced, conditionOf(s, v1alpha1.ConditionReady).Reason)
	require.Contains(t, conditionOf(s, v1alpha1.ConditionReady).Message, "2 departures differ from it")
	require.EqualValues(t, 2, *s.Status.DeparturesWithSales)
	for _, id := range bookings {
		requireConfirmed(t, p, id)
	}
	kept := h.find(departureOf(t, s, high))
	require.Equal(t, 200, kept.Train.Capacity, "seat 150 stays")
	require.Equal(t, "07:00", kept.Train.Stops[0].DepartsAt.Format("15:04"), "the times follow")
	require.False(t, h.find(departureOf(t, s, excepted)).Train.OnSale)
	require.Equal(t, 100, h.find(departureOf(t, s, free)).Train.Capacity)

	// Another route: the departures with bookings keep theirs.
	h.edit(s, calls("Delhi - 07:00", "Agra 09:30 09:35", "Mumbai 26:00"))
	s = await(h, s, divergedOn(high, excepted))
	require.Equal(t, "Jaipur", h.find(departureOf(t, s, high)).Train.Stops[1].Station)
	require.Equal(t, "Agra", h.find(departureOf(t, s, free)).Train.Stops[1].Station)

	for _, id := range bookings {
		p.Must(t, http.StatusNoContent, "DELETE", "/v1/bookings/"+id, nil)
	}
	await(h, s, withSales(0))
}

func TestDelayOfOneDepartureStaysAndIsReported(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	s := await(h, h.createSchedule("", nil), sold)
	p, date := h.passenger(), inDays(3)
	id := h.book(p, departureOf(t, s, date), 7)
	await(h, s, withSales(1))
	late := *h.find(departureOf(t, s, date)).Train
	for i := range late.Stops {
		for _, at := range []*time.Time{&late.Stops[i].ArrivesAt, &late.Stops[i].DepartsAt} {
			if !at.IsZero() {
				*at = at.Add(time.Hour)
			}
		}
	}
	_, _, err := h.trains.PutTrain(t.Context(), late)
	require.NoError(t, err)
	s = await(h, s, divergedOn(date))
	require.Contains(t, conditionOf(s, v1alpha1.ConditionReady).Message, "1 departure differs from it")

	// A change of the schedule does not undo the delay.
	h.edit(s, set("capacity", 250))
	await(h, s, divergedOn(date))
	now := h.find(departureOf(t, s, date))
	require.Equal(t, 250, now.Train.Capacity)
	require.Equal(t, "07:00", now.Train.Stops[0].DepartsAt.Format("15:04"))
	require.Equal(t, 1, now.Booked)
	requireConfirmed(t, p, id)
}

func TestDriftOfAScheduleIsCorrected(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	s := await(h, h.createSchedule("", exceptions("2027-01-26")), sold)
	changed := *h.findSchedule(scheduleIDOf(t, s)).Schedule
	changed.Name, changed.SoldDaysAhead, changed.Until, changed.Exceptions = "Another", 10, inDays(100), nil
	changed.Days = booking.WeekdaysOf(time.Monday, time.Tuesday, time.Wednesday, time.Sunday)
	_, _, err := h.trains.PutSchedule(t.Context(), changed)
	require.NoError(t, err)
	h.awaitEvent(s, v1alpha1.EventDriftCorrected, `name "Another" to "Shatabdi Express", days "mon-wed,sun" to "daily", until `+
		inDays(100).String()+` to 2199-06-06, soldDaysAhead 10 to 60, exceptions`)
	require.Equal(t, "Shatabdi Express", h.findSchedule(changed.ID).Name)

	require.NoError(t, h.trains.DeleteSchedule(t.Context(), changed.ID, booking.CancelBooked))
	h.awaitEvent(s, v1alpha1.EventDriftCorrected, "The schedule was deleted at the service")
	require.NotNil(t, h.findSchedule(changed.ID))
}

func TestScheduleThatOnlyTheServiceRejectsStalls(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	s := await(h, h.createSchedule("", set("timeZone", "Europe/Bonn")), scheduleNotReady(v1alpha1.ReasonInvalid))
	require.Contains(t, conditionOf(s, v1alpha1.ConditionStalled).Message, "timeZone must be the name of a time zone")
	require.Empty(t, s.Finalizers, "nothing was created at the service")
	h.edit(s, all(set("timeZone", "Europe/Berlin"), days(), exceptions("+2026-12-25", "+2198-12-25")))
	s = await(h, s, sold)
	require.Equal(t, "2 dates", s.Status.Days)
}

func TestSuspendedScheduleIsNotChanged(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	s := await(h, h.createSchedule("", nil), sold)
	h.edit(s, all(set("suspend", true), set("capacity", 10)))
	s = await(h, s, suspended[*v1alpha1.TrainSchedule])
	require.True(t, isReady(s), "it stays as it was, so that nobody waits for it")
	h.book(h.passenger(), departureOf(t, s, inDays(7)), 30)
	s = await(h, s, func(s *v1alpha1.TrainSchedule) bool { return *s.Status.DeparturesWithSales == 1 })
	require.Equal(t, 200, h.findSchedule(scheduleIDOf(t, s)).Capacity)
	h.delete(s)
	s = await(h, s, scheduleNotReady(v1alpha1.ReasonDeleting))
	require.Contains(t, conditionOf(s, v1alpha1.ConditionReady).Message, "removes this TrainSchedule at once")
	h.patch(s, map[string]any{"metadata": map[string]any{"annotations": map[string]any{v1alpha1.AnnotationAbandon: "true"}}})
	h.awaitDeleted(s)
	require.True(t, h.findSchedule(scheduleIDOf(t, s)).OnSale)
	h.awaitEvent(s, v1alpha1.EventAbandoned, "the schedule "+s.Status.ScheduleID)
}

func TestRetainedScheduleKeepsItsBookingsAndCanBeAdopted(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	first := await(h, h.createSchedule("daily", nil), sold)
	p := h.passenger()
	id := h.book(p, departureOf(t, first, inDays(7)), 7)
	await(h, first, withSales(1))
	h.delete(first)
	h.awaitDeleted(first)
	h.awaitEvent(first, v1alpha1.EventRetained, "Retained off sale with bookings: 1 departure;")
	require.Nil(t, h.findSchedule(scheduleIDOf(t, first)))
	kept := h.find(departureOf(t, first, inDays(7)))
	require.False(t, kept.Train.OnSale)
	require.Equal(t, 1, kept.Booked)
	require.Nil(t, h.find(departureOf(t, first, inDays(8))), "it had no bookings")

	second := await(h, h.createSchedule("daily", nil), sold)
	require.NotEqual(t, first.Status.ScheduleID, second.Status.ScheduleID, "the same name is a different schedule")
	adopted := await(h, h.createSchedule("again", set("scheduleID", first.Status.ScheduleID)), withSales(1))
	require.Equal(t, first.Status.ScheduleID, adopted.Status.ScheduleID)
	requireConfirmed(t, p, id)
	require.True(t, h.find(departureOf(t, first, inDays(7))).Train.OnSale)
}

func TestCancelledScheduleIsDeletedWithItsBookings(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	s := await(h, h.createSchedule("", set("deletionPolicy", "Cancel")), sold)
	p := h.passenger()
	h.book(p, departureOf(t, s, inDays(7)), 7)
	h.delete(s)
	h.awaitDeleted(s)
	require.Nil(t, h.findSchedule(scheduleIDOf(t, s)))
	require.Nil(t, h.find(departureOf(t, s, inDays(7))))
	require.Contains(t, p.Must(t, http.StatusOK, "GET", "/v1/bookings", nil).String(), `"items":[]`)
	h.awaitEvent(s, v1alpha1.EventCancelled, s.Status.ScheduleID)
}

func TestIDsOfASchedulesDeparturesBelongToTheOlderResource(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	const id, departure = "6f1b0c3e-3a46-8ad4-9d1f-2f5b00000000", "6f1b0c3e-3a46-8ad4-9d1f-2f5b09de0000"
	s := await(h, h.createSchedule("older", set("scheduleID", id)), sold)
	h.nextSecond(s)
	train := h.await(h.createNamed("younger", set("trainID", departure)), notReady(v1alpha1.ReasonInvalid))
	require.Contains(t, conditionOf(train, v1alpha1.ConditionStalled).Message, "TrainSchedule "+h.namespace+"/older is older and the train is one of its departures")
	other := await(h, h.createSchedule("other", set("scheduleID", id)), scheduleNotReady(v1alpha1.ReasonInvalid))
	require.Contains(t, conditionOf(other, v1alpha1.ConditionStalled).Message, "older is older and has the same scheduleID")
	h.delete(other)
	h.awaitDeleted(other)
	require.NotNil(t, h.findSchedule(scheduleIDOf(t, s)), "deleting it does not change the schedule")

	h.delete(s)
	h.awaitDeleted(s)
	train = h.await(train, ready)
	h.nextSecond(train)
	again := await(h, h.createSchedule("again", set("scheduleID", id)), scheduleNotReady(v1alpha1.ReasonInvalid))
	require.Contains(t, conditionOf(again, v1alpha1.ConditionStalled).Message, "Train "+h.namespace+"/younger is older and has the id of a departure")
	h.edit(train, set("deletionPolicy", "Cancel"))
	h.delete(train)
	await(h, again, sold)
}

func TestOlderServiceIsNamedAndWaitedFor(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.proxy.withoutSchedules.Store(true)
	h.startOperator()
	h.await(h.create(nil), ready)
	s := await(h, h.createSchedule("", nil), scheduleNotReady(v1alpha1.ReasonServiceUnavailable))
	require.Contains(t, conditionOf(s, v1alpha1.ConditionReady).Message, "older than the operator: upgrade it")
	h.proxy.withoutSchedules.Store(false)
	s = await(h, s, sold)

	// A deletion waits too: a service that does not have the route may have the schedule.
	h.proxy.withoutSchedules.Store(true)
	h.delete(s)
	s = await(h, s, scheduleNotReady(v1alpha1.ReasonDeleting))
	require.Contains(t, conditionOf(s, v1alpha1.ConditionReady).Message, "older than the operator")
	require.NotNil(t, h.findSchedule(scheduleIDOf(t, s)))
	h.proxy.withoutSchedules.Store(false)
	h.awaitDeleted(s)
	require.Nil(t, h.findSchedule(scheduleIDOf(t, s)))
}

func TestScheduleThatIsOverIsDepartedAndNotCreatedAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	s := await(h, h.createSchedule("", nil), sold)
	h.edit(s, all(set("from", "2020-06-01"), set("until", "2020-06-30")))
	departed := func(s *v1alpha1.TrainSchedule) bool {
		return isReady(s) && conditionOf(s, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonDeparted
	}
	s = await(h, s, departed)
	require.Equal(t, "2020-06-30", h.findSchedule(scheduleIDOf(t, s)).Until.String(), "the end was put, or the service would go on selling")
	require.NoError(t, h.trains.DeleteSchedule(t.Context(), scheduleIDOf(t, s), booking.CancelBooked))

	other := await(h, h.createSchedule("", nil), sold)
	require.NoError(t, h.trains.DeleteSchedule(t.Context(), scheduleIDOf(t, other), booking.CancelBooked))
	h.eventually(func(context.Context) bool { return h.findSchedule(scheduleIDOf(t, other)) != nil }, nothing)
	require.Nil(t, h.findSchedule(scheduleIDOf(t, s)), "the operator has polled since")
	require.True(t, departed(h.getSchedule(s)))
	h.edit(s, set("until", "2199-06-06"))
	await(h, s, func(s *v1alpha1.TrainSchedule) bool { return sold(s) && s.Status.NextDeparture != "" })
}
