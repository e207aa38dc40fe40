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

// FieldOwner is who owns the fields that the operator applies.
const FieldOwner = client.FieldOwner("trainbooking-operator")

// verdict is what a reconcile came to: the condition Ready, and what follows for the others.
type verdict struct {
	ready   metav1.ConditionStatus
	reason  string
	message string
	stalled bool // nothing helps but a person
	// cause is why, where the service could not answer. It is tried again after a backoff.
	cause error
	// retry is when to try again where nothing tells that it is time; 0: never.
	retry time.Duration
}

// write puts the verdict into the conditions. Those that are not True are left out, but Ready.
func (v verdict) write(status *v1alpha1.TrainStatus, generation int64) {
	status.ObservedGeneration = generation
	set := func(kind string, value metav1.ConditionStatus) {
		meta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: kind, Status: value, Reason: v.reason, Message: v.message, ObservedGeneration: generation,
		})
	}
	set(v1alpha1.ConditionReady, v.ready)
	for kind, yes := range map[string]bool{
		v1alpha1.ConditionStalled:     v.stalled,
		v1alpha1.ConditionReconciling: v.working(),
	} {
		if yes {
			set(kind, metav1.ConditionTrue)
		} else {
			meta.RemoveStatusCondition(&status.Conditions, kind)
		}
	}
}

// working reports whether the operator goes on by itself.
func (v verdict) working() bool {
	return !v.stalled && v.ready != metav1.ConditionTrue && v.reason != v1alpha1.ReasonSuspended
}

// show puts what the service has into the status; nil: it has no such train.
func show(status *v1alpha1.TrainStatus, found *booking.Availability) {
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

// count is a number of seats, booking.MaxCapacity at most.
func count(n int) *int32 { return new(int32(n)) } //nolint:gosec // it fits

// settled reports whether the service was last seen to sell exactly what the spec says now.
func settled(t *v1alpha1.Train) bool {
	ready := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == t.Generation
}

// reasonOf returns the reason of Ready.
func reasonOf(t *v1alpha1.Train) string {
	if ready := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return ready.Reason
	}
	return v1alpha1.ReasonPending
}

// messageOf returns the message of Ready.
func messageOf(t *v1alpha1.Train) string {
	if ready := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return ready.Message
	}
	return ""
}

// tell applies the status if it says anything new. A Train that is gone is no error.
func (r *Reconciler) tell(ctx context.Context, t *v1alpha1.Train, status *v1alpha1.TrainStatus) error {
	if equality.Semantic.DeepEqual(&t.Status, status) {
		return nil
	}
	err := r.Status().Apply(ctx, applied(t, status), FieldOwner, client.ForceOwnership)
	return client.IgnoreNotFound(err)
}

// applied is the status as it is sent. The UID sees to it that no other resource of the
// same name gets it.
func applied(t *v1alpha1.Train, status *v1alpha1.TrainStatus) *apply.TrainApplyConfiguration {
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
