package operator

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// sync makes the service sell what the spec says, as far as it can. No verdict: the Train
// is going or gone, which the cache does not know yet.
func (r *Reconciler) sync(
	ctx context.Context, t *v1alpha1.Train, status *v1alpha1.TrainStatus, want booking.Train,
) (*verdict, error) {
	status.TrainID = want.ID.String()
	found, err := r.find(ctx, want.ID)
	if err != nil {
		return unavailable(err), nil
	}
	show(status, found)
	if found != nil && want.Same(found.Train) {
		return synced(), nil
	}
	if found == nil {
		if stays, err := r.stays(ctx, t); err != nil || !stays {
			return nil, err
		}
	}
	refused, changed, err := r.put(ctx, t, want, found)
	if err != nil && final(err) {
		return invalid(sentence(err)), nil
	}
	if err == nil && changed {
		found, err = r.find(ctx, want.ID)
	}
	if err != nil {
		return unavailable(err), nil
	}
	show(status, found)
	if refused != nil {
		return r.waiting(refused), nil
	}
	return synced(), nil
}

// stays asks the API server whether the Train is there and not being deleted. A train that
// is made for one that was, because the cache lags behind, would be nobody's.
func (r *Reconciler) stays(ctx context.Context, t *v1alpha1.Train) (bool, error) {
	var now v1alpha1.Train
	if err := r.live.Get(ctx, client.ObjectKeyFromObject(t), &now); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return now.UID == t.UID && now.DeletionTimestamp.IsZero(), nil
}

// find returns the train as the service has it, nil where it has none.
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

// put puts the train. What is refused because of seats in the way stays as it is found, and
// the rest of the change is put without it: a train that is to shrink can be taken off sale
// meanwhile. It returns what was refused, in order, and whether anything was put.
func (r *Reconciler) put(
	ctx context.Context, t *v1alpha1.Train, want booking.Train, found *booking.Availability,
) (refused []*booking.Error, changed bool, err error) {
	for {
		_, created, err := r.service.PutTrain(ctx, want)
		if err == nil {
			r.reportPut(t, &want, created, found)
			return refused, true, nil
		}
		e, kept := keep(&want, found, err)
		if !kept {
			return nil, false, err
		}
		refused = append(refused, e)
		if want.Same(found.Train) {
			return refused, false, nil
		}
	}
}

// keep undoes the part of a change that was refused. It returns false where there is none.
func keep(want *booking.Train, found *booking.Availability, err error) (*booking.Error, bool) {
	e, ok := err.(*booking.Error) //nolint:errorlint // as the client returns it
	if !ok || found == nil {
		return nil, false
	}
	switch {
	case e.Code == booking.CodeCapacityInUse && want.Capacity != found.Train.Capacity:
		e.Message = fmt.Sprintf("The train keeps its %d seats until these of %d and above are free: %s",
			found.Train.Capacity, want.Capacity+1, ranges(e.Seats))
		want.Capacity = found.Train.Capacity
	case e.Code == booking.CodeHasBookings && !want.SameStops(found.Train):
		e.Message = fmt.Sprintf("The train keeps its stops until no seat is booked or held: %d booked, %d held",
			found.Booked, found.Held)
		want.Stops = found.Train.Stops
	default:
		return nil, false
	}
	return e, true
}

// waiting is the verdict where seats are in the way. Nothing tells when they are free.
func (r *Reconciler) waiting(refused []*booking.Error) *verdict {
	reasons := map[booking.Code]string{
		booking.CodeCapacityInUse: v1alpha1.ReasonCapacityInUse,
		booking.CodeHasBookings:   v1alpha1.ReasonHasBookings,
	}
	var messages []string
	for _, e := range refused {
		messages = append(messages, e.Message)
	}
	return &verdict{
		ready: metav1.ConditionFalse, reason: reasons[refused[0].Code], message: strings.Join(messages, ". "),
		retry: r.resync,
	}
}

// reportPut records what a put did. It was drift where nobody had changed the spec.
func (r *Reconciler) reportPut(t *v1alpha1.Train, put *booking.Train, created bool, found *booking.Availability) {
	switch {
	case settled(t) && created:
		r.event(t, corev1.EventTypeWarning, v1alpha1.EventDriftCorrected, actionCreate,
			"The train was deleted at the service. It is there again, without the bookings that it had")
	case settled(t) && found != nil:
		r.event(t, corev1.EventTypeWarning, v1alpha1.EventDriftCorrected, actionChange,
			"The train was changed at the service and was put back: "+difference(found.Train, put))
	case created:
		r.event(t, corev1.EventTypeNormal, v1alpha1.EventCreated, actionCreate, "The service has the train "+put.ID.String())
	case t.Status.Capacity == nil && t.Spec.TrainID != "" && found != nil:
		r.event(t, corev1.EventTypeNormal, v1alpha1.EventAdopted, actionChange,
			"The train "+put.ID.String()+" was taken up: "+difference(found.Train, put))
	default:
		r.event(t, corev1.EventTypeNormal, v1alpha1.EventUpdated, actionChange, "The train was changed as the spec says")
	}
}

// difference tells what a put has changed.
func difference(from, to *booking.Train) string {
	var parts []string
	if from.Name != to.Name {
		parts = append(parts, fmt.Sprintf("name %q to %q", from.Name, to.Name))
	}
	if from.Capacity != to.Capacity {
		parts = append(parts, fmt.Sprintf("capacity %d to %d", from.Capacity, to.Capacity))
	}
	if from.OnSale != to.OnSale {
		parts = append(parts, fmt.Sprintf("onSale %t to %t", from.OnSale, to.OnSale))
	}
	if !from.SameStops(to) {
		parts = append(parts, "stops")
	} else if len(parts) == 0 {
		parts = append(parts, "UTC offsets")
	}
	return strings.Join(parts, ", ")
}
