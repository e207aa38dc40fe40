package operator

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
	apply "trainbooking.dev/operator/v1alpha1/applyconfiguration/operator/v1alpha1"
)

// FieldOwner is the field manager of everything that the operator applies.
const FieldOwner = client.FieldOwner(Name)

// result is the outcome of a reconcile, from which the conditions follow.
type result struct {
	ready   metav1.ConditionStatus
	reason  string
	message string
	stalled bool          // a person must act
	cause   error         // if the service is unavailable; retried after a backoff
	retry   time.Duration // until the next attempt; 0 for none
}

func synced() *result {
	return &result{
		ready: metav1.ConditionTrue, reason: v1alpha1.ReasonSynced,
		message: "The train at the service matches the spec",
	}
}

func hasDeparted(last time.Time) *result {
	return &result{
		ready: metav1.ConditionTrue, reason: v1alpha1.ReasonDeparted,
		message: "The last time of the train is past: " + last.Format(time.RFC3339),
	}
}

func invalid(message string) *result {
	return &result{ready: metav1.ConditionFalse, reason: v1alpha1.ReasonInvalid, message: message, stalled: true}
}

func unavailable(err error) *result {
	return &result{
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonServiceUnavailable, message: describe(err), cause: err,
	}
}

// setConditions writes the result into the conditions. Stalled and Reconciling are removed
// unless they are True.
func (r result) setConditions(status *v1alpha1.TrainStatus, generation int64) {
	status.ObservedGeneration = generation
	set := func(kind string, value metav1.ConditionStatus) {
		meta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: kind, Status: value, Reason: r.reason, Message: r.message, ObservedGeneration: generation,
		})
	}
	set(v1alpha1.ConditionReady, r.ready)
	for kind, isTrue := range map[string]bool{
		v1alpha1.ConditionStalled:     r.stalled,
		v1alpha1.ConditionReconciling: r.reconciling(),
	} {
		if isTrue {
			set(kind, metav1.ConditionTrue)
		} else {
			meta.RemoveStatusCondition(&status.Conditions, kind)
		}
	}
}

// reconciling reports whether the operator will try again without a change of the spec.
func (r result) reconciling() bool {
	return !r.stalled && r.ready != metav1.ConditionTrue && r.reason != v1alpha1.ReasonSuspended
}

// setObserved writes the service's figures into the status; nil removes them.
func setObserved(status *v1alpha1.TrainStatus, found *booking.Availability) {
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

// count converts a number of seats to the type of the status.
func count(n int) *int32 { return new(int32(n)) } //nolint:gosec // at most booking.MaxCapacity

// readyCondition returns the Ready condition of the Train.
func readyCondition(t *v1alpha1.Train) metav1.Condition {
	if c := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionReady); c != nil {
		return *c
	}
	return metav1.Condition{Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonPending}
}

// isReady reports whether the Train is Ready at its current generation.
func isReady(t *v1alpha1.Train) bool {
	c := readyCondition(t)
	return c.Status == metav1.ConditionTrue && c.ObservedGeneration == t.Generation
}

// patchStatus applies the status if it differs. It is no error if the Train no longer exists.
func (r *Reconciler) patchStatus(ctx context.Context, t *v1alpha1.Train, status *v1alpha1.TrainStatus) error {
	if equality.Semantic.DeepEqual(&t.Status, status) {
		return nil
	}
	return client.IgnoreNotFound(r.Status().Apply(ctx, applyConfiguration(t, status), FieldOwner, client.ForceOwnership))
}

// applyConfiguration returns the status to apply. The UID in it keeps the status from another
// resource that was created under the same name.
func applyConfiguration(t *v1alpha1.Train, status *v1alpha1.TrainStatus) *apply.TrainApplyConfiguration {
	s := apply.TrainStatus().WithObservedGeneration(status.ObservedGeneration)
	for _, field := range []struct {
		to   **string
		from string
	}{{&s.TrainID, status.TrainID}, {&s.From, status.From}, {&s.To, status.To}} {
		if field.from != "" {
			*field.to = &field.from
		}
	}
	s.Capacity, s.Booked, s.Held, s.Free = status.Capacity, status.Booked, status.Held, status.Free
	for _, c := range status.Conditions {
		s.Conditions = append(s.Conditions, *applymeta.Condition().
			WithType(c.Type).WithStatus(c.Status).WithReason(c.Reason).WithMessage(c.Message).
			WithObservedGeneration(c.ObservedGeneration).WithLastTransitionTime(c.LastTransitionTime))
	}
	return apply.Train(t.Name, t.Namespace).WithUID(t.UID).WithStatus(s)
}
