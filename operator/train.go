package operator

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// idOf returns the id of the train at the service: spec.trainID, or the UID of the resource
// with its last 16 bits cleared.
func idOf(t *v1alpha1.Train) (booking.TrainID, error) {
	if t.Spec.TrainID != "" {
		return booking.ParseTrainID(t.Spec.TrainID)
	}
	uid, err := uuid.Parse(string(t.UID))
	if err != nil {
		return booking.TrainID{}, fmt.Errorf("the UID %q is not a UUID: %w", t.UID, err)
	}
	return booking.SeatID(uid).Train(), nil
}

// wanted returns the train of the spec, normalized as the service stores it. Error:
// invalid_request, if the spec breaks a rule that the schema cannot express.
func wanted(t *v1alpha1.Train) (booking.Train, error) {
	id, err := idOf(t)
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

// departed returns the last time of a train and whether it is past. The service retires a train
// one day later. So a train that is missing there is not created again, even if the two clocks
// differ. A train without times never departs.
func departed(train *booking.Train, now time.Time) (last time.Time, is bool) {
	for _, stop := range train.Stops { // times do not decrease
		for _, at := range []time.Time{stop.ArrivesAt, stop.DepartsAt} {
			if !at.IsZero() {
				last = at
			}
		}
	}
	return last, !last.IsZero() && !now.Before(last)
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

// older reports whether a was created before b and so owns a train id that both have. Of two
// Trains created in the same second, the one with the lower UID counts as older.
func older(a, b *v1alpha1.Train) bool {
	age := a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	return age < 0 || age == 0 && a.UID < b.UID
}
