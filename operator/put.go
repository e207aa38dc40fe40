package operator

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// reconcileSpec puts the wanted train at the service where it differs. It returns no result if
// the Train was deleted and the cache does not show it yet.
func (r *Reconciler) reconcileSpec(
	ctx context.Context, t *v1alpha1.Train, status *v1alpha1.TrainStatus, want booking.Train,
) (*result, error) {
	status.TrainID = want.ID.String()
	found, err := r.find(ctx, want.ID)
	if err != nil {
		return unavailable(err), nil
	}
	setObserved(status, found)
	if found != nil && want.Same(found.Train) {
		return synced(), nil
	}
	if found == nil {
		if ok, err := r.stillWanted(ctx, t); err != nil || !ok {
			return nil, err
		}
	}
	refused, changed, err := r.put(ctx, t, want, found)
	if err != nil && permanent(err) {
		return invalid(describe(err)), nil
	}
	if err == nil && changed {
		found, err = r.find(ctx, want.ID)
	}
	if err != nil {
		return unavailable(err), nil
	}
	setObserved(status, found)
	if refused != nil {
		return r.seatsInUse(refused), nil
	}
	return synced(), nil
}

// stillWanted reports whether the Train exists at the API server and is not being deleted. A
// train created because of a stale cache would have no resource.
func (r *Reconciler) stillWanted(ctx context.Context, t *v1alpha1.Train) (bool, error) {
	var now v1alpha1.Train
	if err := r.live.Get(ctx, client.ObjectKeyFromObject(t), &now); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return now.UID == t.UID && now.DeletionTimestamp.IsZero(), nil
}

// find returns the service's train with that id, or nil if it does not exist.
func (r *Reconciler) find(ctx context.Context, id booking.TrainID) (*booking.Availability, error) {
	found, err := r.service.FindTrain(ctx, id)
	if booking.CodeOf(err) == booking.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// put sends want to the service. If the service refuses the capacity or the stops because of
// booked or held seats, put keeps the current ones and changes the rest: a train that cannot
// shrink yet can still be taken off sale. It returns the refusals in order, and whether it
// changed anything.
func (r *Reconciler) put(
	ctx context.Context, t *v1alpha1.Train, want booking.Train, found *booking.Availability,
) (refused []*booking.Error, changed bool, err error) {
	for {
		_, created, err := r.service.PutTrain(ctx, want)
		if err == nil {
			r.recordPut(t, &want, created, found)
			return refused, true, nil
		}
		e, reverted := revertRefused(&want, found, err)
		if !reverted {
			return nil, false, err
		}
		refused = append(refused, e)
		if want.Same(found.Train) {
			return refused, false, nil
		}
	}
}

// revertRefused sets the field of want that err refuses back to its value in found. It returns
// false if err refuses something else.
func revertRefused(want *booking.Train, found *booking.Availability, err error) (*booking.Error, bool) {
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

// seatsInUse is the result of a change that booked or held seats block. No event announces
// that they are free, so it is retried.
func (r *Reconciler) seatsInUse(refused []*booking.Error) *result {
	reasons := map[booking.Code]string{
		booking.CodeCapacityInUse: v1alpha1.ReasonCapacityInUse,
		booking.CodeHasBookings:   v1alpha1.ReasonHasBookings,
	}
	var messages []string
	for _, e := range refused {
		messages = append(messages, e.Message)
	}
	return &result{
		ready: metav1.ConditionFalse, reason: reasons[refused[0].Code], message: strings.Join(messages, ". "),
		retry: r.resync,
	}
}
