package operator

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
	apply "trainbooking.dev/operator/v1alpha1/applyconfiguration/operator/v1alpha1"
)

// schedules is the kind of TrainSchedules.
type schedules struct{ service Service }

var _ kind[*v1alpha1.TrainSchedule, booking.Schedule, booking.ScheduleStatus] = schedules{}

func (schedules) names() names {
	return names{resource: "TrainSchedule", noun: "schedule"}
}

func (schedules) empty() *v1alpha1.TrainSchedule { return &v1alpha1.TrainSchedule{} }

func (schedules) list(ctx context.Context, cache client.Reader) (list []*v1alpha1.TrainSchedule, err error) {
	var all v1alpha1.TrainScheduleList
	err = cache.List(ctx, &all, client.UnsafeDisableDeepCopy)
	for i := range all.Items {
		list = append(list, &all.Items[i])
	}
	return list, err
}

func (schedules) common(t *v1alpha1.TrainSchedule) common {
	return common{
		id: t.Spec.ScheduleID, policy: t.Spec.DeletionPolicy, suspend: t.Spec.Suspend,
		observed: t.Status.DeparturesWithSales != nil, class: t.Spec.Class, service: t.Status.Service,
		statusID: &t.Status.ScheduleID, generation: &t.Status.ObservedGeneration, conditions: &t.Status.Conditions,
	}
}

// departed: a schedule whose spec is as new as what the service has ends with the departure of its last
// day. Until then even a spec that is over is put, because the service may sell departures after its end.
func (k schedules) departed(
	t *v1alpha1.TrainSchedule, want *booking.Schedule, now time.Time,
) (last time.Time, is bool) {
	if len(want.Stops) == 0 || !k.common(t).isReady(t) {
		return time.Time{}, false
	}
	last = lastTime(want.Train(want.Until).Stops)
	return last, !last.IsZero() && !now.Before(last)
}

func (schedules) observe(t *v1alpha1.TrainSchedule, found *booking.ScheduleStatus) {
	observeSchedule(&t.Status, found)
}

func observeSchedule(status *v1alpha1.TrainScheduleStatus, found *booking.ScheduleStatus) {
	kept := *status
	*status = v1alpha1.TrainScheduleStatus{
		ObservedGeneration: kept.ObservedGeneration, ScheduleID: kept.ScheduleID, Service: kept.Service,
		Conditions: kept.Conditions,
	}
	if found == nil {
		return
	}
	status.ScheduleID = found.ID.String()
	status.From, status.To = found.Stops[0].Station, found.Stops[len(found.Stops)-1].Station
	status.Days = describeDays(&found.Calendar)
	status.NextDeparture, status.SoldUntil = dateText(found.Next), dateText(found.SoldUntil)
	status.DeparturesWithSales = count(found.Booked)
	if found.DivergedCount > 0 {
		status.Diverged = &v1alpha1.DivergedDepartures{Count: *count(found.DivergedCount)}
		for _, date := range found.Diverged {
			status.Diverged.Dates = append(status.Diverged.Dates, date.String())
		}
	}
}

// dateText returns "" for no date.
func dateText(date booking.Date) string {
	if date == 0 {
		return ""
	}
	return date.String()
}

func (schedules) outdated(t *v1alpha1.TrainSchedule, found *booking.ScheduleStatus) bool {
	status := t.Status.DeepCopy()
	observeSchedule(status, found)
	return !equality.Semantic.DeepEqual(status, &t.Status)
}

func (schedules) synced(t *v1alpha1.TrainSchedule) string {
	const matches = "The schedule at the service matches the spec"
	diverged := t.Status.Diverged
	switch {
	case diverged == nil:
		return matches
	case diverged.Count == 1:
		return matches + ". 1 departure differs from it (status.diverged): it was changed by itself, or keeps what its " +
			"bookings need. No booking is lost"
	}
	return fmt.Sprintf("%s. %d departures differ from it (status.diverged): they were changed by themselves, or keep what "+
		"their bookings need. No booking is lost", matches, diverged.Count)
}

// departures returns a number of departures in words.
func departures(n int) string {
	if n == 1 {
		return "1 departure"
	}
	return fmt.Sprintf("%d departures", n)
}

func (schedules) configuration(t *v1alpha1.TrainSchedule) runtime.ApplyConfiguration {
	s := apply.TrainScheduleStatus().WithObservedGeneration(t.Status.ObservedGeneration)
	s.ScheduleID, s.From, s.To = nonempty(t.Status.ScheduleID), nonempty(t.Status.From), nonempty(t.Status.To)
	s.Days, s.NextDeparture, s.SoldUntil = nonempty(t.Status.Days), nonempty(t.Status.NextDeparture), nonempty(t.Status.SoldUntil)
	s.DeparturesWithSales = t.Status.DeparturesWithSales
	if d := t.Status.Diverged; d != nil {
		s.Diverged = apply.DivergedDepartures().WithCount(d.Count).WithDates(d.Dates...)
	}
	s.Conditions = conditionsToApply(t.Status.Conditions)
	config := apply.TrainSchedule(t.Name, t.Namespace).WithUID(t.UID).WithStatus(s)
	if stalls(t.Status.Conditions) {
		config.WithResourceVersion(t.ResourceVersion)
	}
	return config
}

func (k schedules) all(ctx context.Context) iter.Seq2[booking.ScheduleStatus, error] {
	return func(yield func(booking.ScheduleStatus, error) bool) {
		for found, err := range k.service.EachSchedule(ctx, booking.PageRequest{Limit: booking.MaxPageLimit}) {
			if !yield(found, withoutSchedules(err)) {
				return
			}
		}
	}
}

func (schedules) idOf(found *booking.ScheduleStatus) uuid.UUID { return uuid.UUID(found.ID) }

// find also returns not_found of a service that has no schedules at all.
func (k schedules) find(ctx context.Context, id uuid.UUID) (*booking.ScheduleStatus, error) {
	found, err := k.service.FindSchedule(ctx, booking.ScheduleID(id))
	if booking.CodeOf(err) == booking.CodeNotFound {
		_, err = k.service.ListSchedules(ctx, booking.PageRequest{Limit: 1})
		return nil, withoutSchedules(err)
	}
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// withoutSchedules returns the error of a list of schedules. Only a service without schedules does not
// find the list.
func withoutSchedules(err error) error {
	if booking.CodeOf(err) != booking.CodeNotFound {
		return err
	}
	return &booking.Error{
		Code:    booking.CodeUnavailable,
		Message: "The service has no schedules, because it is older than the operator: upgrade it to the same version",
	}
}

func (schedules) same(want *booking.Schedule, found *booking.ScheduleStatus) bool {
	return want.Same(found.Schedule)
}

func (schedules) difference(found *booking.ScheduleStatus, to *booking.Schedule) string {
	from := found.Schedule
	parts := changes(
		change{"name", from.Name, to.Name}, change{"capacity", from.Capacity, to.Capacity}, change{"onSale", from.OnSale, to.OnSale},
		change{"timeZone", from.TimeZone, to.TimeZone}, change{"days", describeDays(&from.Calendar), describeDays(&to.Calendar)},
		change{"from", from.From, to.From}, change{"until", from.Until, to.Until},
		change{"soldDaysAhead", from.SoldDaysAhead, to.SoldDaysAhead})
	// What is left are the lists: take over the rest, and see whether that makes both equal.
	rest := *from
	rest.Exceptions = to.Exceptions
	if !rest.Same(from) {
		parts = append(parts, "exceptions")
	}
	rest = *from
	rest.Stops = to.Stops
	if !rest.Same(from) {
		parts = append(parts, "stops")
	}
	return strings.Join(parts, ", ")
}

func (k schedules) put(ctx context.Context, want *booking.Schedule) (created bool, err error) {
	_, created, err = k.service.PutSchedule(ctx, *want)
	return created, err
}

// revert: the service refuses no part of a schedule because of seats. Departures keep what was sold.
func (schedules) revert(*booking.Schedule, *booking.ScheduleStatus, error) (*booking.Error, bool) {
	return nil, false
}

// remove deletes the schedule. It looks for it first, because a service without schedules does not find
// it either.
func (k schedules) remove(
	ctx context.Context, id uuid.UUID, policy v1alpha1.DeletionPolicy, _ bool,
) (reason, note string, err error) {
	found, err := k.find(ctx, id)
	if err != nil {
		return "", "", err
	}
	reason, mode := v1alpha1.EventRetained, booking.RetainBooked
	if policy == v1alpha1.DeletionCancel {
		reason, mode = v1alpha1.EventCancelled, booking.CancelBooked
	}
	if found == nil {
		return reason, "The service has no schedule " + id.String() + ": there is nothing to delete", nil
	}
	err = k.service.DeleteSchedule(ctx, booking.ScheduleID(id), mode)
	if err != nil && booking.CodeOf(err) != booking.CodeNotFound {
		return "", "", err
	}
	note = "The schedule " + id.String() + " was deleted and the bookings of its departures were cancelled"
	if mode == booking.RetainBooked {
		note = fmt.Sprintf("The schedule %s was deleted. Retained off sale with bookings: %s; "+
			"a TrainSchedule with this spec.scheduleID adopts them", id, departures(found.Booked))
	}
	return reason, note, nil
}
