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

// trains is the kind of Trains.
type trains struct{ service Service }

var _ kind[*v1alpha1.Train, booking.Train, booking.Availability] = trains{}

func (trains) names() names { return names{resource: "Train", noun: "train"} }

func (trains) empty() *v1alpha1.Train { return &v1alpha1.Train{} }

func (trains) list(ctx context.Context, cache client.Reader) (list []*v1alpha1.Train, err error) {
	var all v1alpha1.TrainList
	err = cache.List(ctx, &all, client.UnsafeDisableDeepCopy)
	for i := range all.Items {
		list = append(list, &all.Items[i])
	}
	return list, err
}

func (trains) common(t *v1alpha1.Train) common {
	return common{
		id: t.Spec.TrainID, policy: t.Spec.DeletionPolicy, suspend: t.Spec.Suspend, observed: t.Status.Capacity != nil,
		class: t.Spec.Class, service: t.Status.Service,
		statusID: &t.Status.TrainID, generation: &t.Status.ObservedGeneration, conditions: &t.Status.Conditions,
	}
}

// trainID returns spec.trainID, or the UID of the resource with its last 16 bits cleared.
func trainID(t *v1alpha1.Train) (booking.TrainID, error) {
	if t.Spec.TrainID != "" {
		return booking.ParseTrainID(t.Spec.TrainID)
	}
	uid, err := parseUID(t)
	return booking.SeatID(uid).Train(), err
}

func parseUID(o client.Object) (uuid.UUID, error) {
	uid, err := uuid.Parse(string(o.GetUID()))
	if err != nil {
		return uuid.UUID{}, fmt.Errorf("the UID %q is not a UUID: %w", o.GetUID(), err)
	}
	return uid, nil
}

func (trains) wanted(t *v1alpha1.Train) (booking.Train, error) {
	id, err := trainID(t)
	if err != nil {
		return booking.Train{}, booking.InvalidField("trainID", err.Error())
	}
	train := booking.Train{
		ID: id, Name: string(t.Spec.Name), Capacity: int(t.Spec.Capacity),
		OnSale: t.Spec.OnSale == nil || *t.Spec.OnSale,
	}
	fields := map[string]string{}
	train.SalesOpenAt = parseTime(t.Spec.SalesOpenAt, "salesOpenAt", fields)
	for i, stop := range t.Spec.Stops {
		train.Stops = append(train.Stops, booking.Stop{
			Station:   string(stop.Station),
			ArrivesAt: parseTime(stop.ArrivesAt, fmt.Sprintf("stops[%d].arrivesAt", i), fields),
			DepartsAt: parseTime(stop.DepartsAt, fmt.Sprintf("stops[%d].departsAt", i), fields),
		})
	}
	if err := booking.Invalid(fields); err != nil {
		return booking.Train{}, err
	}
	return train.Clean()
}

// parseTime returns the zero time for "". It stores an error under fields[field].
func parseTime(s, field string, fields map[string]string) time.Time {
	if s == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		fields[field] = "must be a time like 2026-12-01T06:00:00+05:30"
	}
	return at
}

// departed: the service retires the train one day later. So a train that is missing there is not created
// again, even if the two clocks differ. A train without times never departs.
func (trains) departed(_ *v1alpha1.Train, want *booking.Train, now time.Time) (last time.Time, is bool) {
	last = lastTime(want.Stops)
	return last, !last.IsZero() && !now.Before(last)
}

// lastTime returns the last time of a train, or zero if it has none. Times do not decrease.
func lastTime(stops []booking.Stop) (last time.Time) {
	for _, stop := range stops {
		for _, at := range []time.Time{stop.ArrivesAt, stop.DepartsAt} {
			if !at.IsZero() {
				last = at
			}
		}
	}
	return last
}

func (trains) observe(t *v1alpha1.Train, found *booking.Availability) { observeTrain(&t.Status, found) }

func observeTrain(status *v1alpha1.TrainStatus, found *booking.Availability) {
	if found == nil {
		status.From, status.To = "", ""
		status.Capacity, status.Booked, status.Held, status.Free = nil, nil, nil, nil
		return
	}
	stops := found.Train.Stops
	status.From, status.To = stops[0].Station, stops[len(stops)-1].Station
	status.TrainID = found.Train.ID.String()
	status.Capacity = count(found.Train.Capacity)
	status.Booked, status.Held, status.Free = count(found.Booked), count(found.Held), count(found.Available)
}

func (trains) outdated(t *v1alpha1.Train, found *booking.Availability) bool {
	status := t.Status.DeepCopy()
	observeTrain(status, found)
	return !equality.Semantic.DeepEqual(status, &t.Status)
}

func (trains) synced(*v1alpha1.Train) string { return "The train at the service matches the spec" }

func (trains) configuration(t *v1alpha1.Train) runtime.ApplyConfiguration {
	s := apply.TrainStatus().WithObservedGeneration(t.Status.ObservedGeneration)
	s.TrainID, s.From, s.To = nonempty(t.Status.TrainID), nonempty(t.Status.From), nonempty(t.Status.To)
	s.Capacity, s.Booked, s.Held, s.Free = t.Status.Capacity, t.Status.Booked, t.Status.Held, t.Status.Free
	s.Conditions = conditionsToApply(t.Status.Conditions)
	config := apply.Train(t.Name, t.Namespace).WithUID(t.UID).WithStatus(s)
	if stalls(t.Status.Conditions) {
		config.WithResourceVersion(t.ResourceVersion)
	}
	return config
}

func (k trains) all(ctx context.Context) iter.Seq2[booking.Availability, error] {
	return k.service.Trains(ctx, booking.TrainQuery{Departed: true, Page: booking.PageRequest{Limit: booking.MaxPageLimit}})
}

func (trains) idOf(found *booking.Availability) uuid.UUID { return uuid.UUID(found.Train.ID) }

func (k trains) find(ctx context.Context, id uuid.UUID) (*booking.Availability, error) {
	found, err := k.service.FindTrain(ctx, booking.TrainID(id))
	if booking.CodeOf(err) == booking.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &found, nil
}

func (trains) same(want *booking.Train, found *booking.Availability) bool {
	return want.Same(found.Train)
}

func (trains) difference(found *booking.Availability, to *booking.Train) string {
	from := found.Train
	parts := changes(change{"name", from.Name, to.Name}, change{"capacity", from.Capacity, to.Capacity}, change{"onSale", from.OnSale, to.OnSale})
	if !from.SalesOpenAt.Equal(to.SalesOpenAt) {
		parts = append(parts, "salesOpenAt")
	}
	if !from.SameStops(to) {
		parts = append(parts, "stops")
	} else if len(parts) == 0 {
		parts = append(parts, "UTC offsets")
	}
	return strings.Join(parts, ", ")
}

func (k trains) put(ctx context.Context, want *booking.Train) (created bool, err error) {
	_, created, err = k.service.PutTrain(ctx, *want)
	return created, err
}

func (trains) revert(want *booking.Train, found *booking.Availability, err error) (*booking.Error, bool) {
	e, ok := err.(*booking.Error) //nolint:errorlint // as the client returns it
	if !ok || found == nil {
		return nil, false
	}
	switch {
	case e.Code == booking.CodeCapacityInUse && want.Capacity != found.Train.Capacity:
		e.Message = fmt.Sprintf("The train keeps its %d seats until these of %d and above are free: %s",
			found.Train.Capacity, want.Capacity+1, ranges(e.Seats))
		want.Capacity = found.Train.Capacity
	case e.Code == booking.CodeHasBookings && !want.SameStations(found.Train):
		e.Message = fmt.Sprintf("The train keeps its stations until no seat is booked or held: %d booked, %d held",
			found.Booked, found.Held)
		want.Stops = found.Train.Stops
	default:
		return nil, false
	}
	return e, true
}

// remove stops sales of the train or deletes it.
func (k trains) remove(
	ctx context.Context, id uuid.UUID, policy v1alpha1.DeletionPolicy, gone bool,
) (reason, note string, err error) {
	if policy == v1alpha1.DeletionCancel {
		err := k.service.DeleteTrain(ctx, booking.TrainID(id), true)
		if err != nil && booking.CodeOf(err) != booking.CodeNotFound {
			return "", "", err
		}
		return v1alpha1.EventCancelled, "The train " + id.String() + " was deleted and its bookings were cancelled", nil
	}
	if gone {
		return v1alpha1.EventRetained, "The train " + id.String() + " has departed: the service keeps it with its bookings", nil
	}
	found, err := k.find(ctx, id)
	if err != nil {
		return "", "", err
	}
	if found == nil {
		return v1alpha1.EventRetained, "The service has no train " + id.String() + ": nothing is retained", nil
	}
	if found.Train.OnSale {
		off := *found.Train
		off.OnSale = false
		if _, _, err := k.service.PutTrain(ctx, off); err != nil {
			return "", "", err
		}
	}
	return v1alpha1.EventRetained, "The train " + id.String() +
		" is retained off sale with its bookings; a Train with this spec.trainID adopts it", nil
}
