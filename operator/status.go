package operator

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/operator/v1alpha1"
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
	final   bool          // there is no retry, although Ready is not True: the resource is suspended
}

func invalid(message string) *result {
	return &result{ready: metav1.ConditionFalse, reason: v1alpha1.ReasonInvalid, message: message, stalled: true}
}

func unavailable(err error) *result {
	return &result{
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonServiceUnavailable, message: describe(err), cause: err,
	}
}

// suspended is the result of a suspended resource, which stays Ready or not as it was.
func suspended(before metav1.Condition) *result {
	return &result{ready: before.Status, reason: before.Reason, message: before.Message, final: true}
}

const suspendedMessage = "The operator changes nothing at the service while spec.suspend is true"

// setConditions writes the result into the conditions. Those other than Ready are removed unless they are
// True. A mark of another operator stays.
func (r result) setConditions(c common, generation int64) {
	*c.generation = generation
	set := func(kind string, value metav1.ConditionStatus, reason, message string) {
		meta.SetStatusCondition(c.conditions, metav1.Condition{
			Type: kind, Status: value, Reason: reason, Message: message, ObservedGeneration: generation,
		})
	}
	setIf := func(isTrue bool, kind, reason, message string) {
		if isTrue {
			set(kind, metav1.ConditionTrue, reason, message)
		} else {
			meta.RemoveStatusCondition(c.conditions, kind)
		}
	}
	set(v1alpha1.ConditionReady, r.ready, r.reason, r.message)
	if !c.marked() {
		setIf(r.stalled, v1alpha1.ConditionStalled, r.reason, r.message)
	}
	setIf(r.reconciling(), v1alpha1.ConditionReconciling, r.reason, r.message)
	setIf(c.suspend, v1alpha1.ConditionSuspended, v1alpha1.ReasonSuspended, suspendedMessage)
}

// reconciling reports whether the operator will try again without a change of the spec.
func (r result) reconciling() bool {
	return !r.stalled && !r.final && r.ready != metav1.ConditionTrue
}

// count converts a number of seats or departures to the type of the status.
func count(n int) *int32 { return new(int32(n)) } //nolint:gosec // at most booking.MaxCapacity, or the days of a schedule

// readyCondition returns the Ready condition of the resource.
func (c common) readyCondition() metav1.Condition {
	if c := meta.FindStatusCondition(*c.conditions, v1alpha1.ConditionReady); c != nil {
		return *c
	}
	return metav1.Condition{Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonPending}
}

// showsResult reports whether the conditions are complete. They may not be if somebody else, or the
// previous version, has written the status.
func (c common) showsResult() bool {
	stalled := meta.IsStatusConditionTrue(*c.conditions, v1alpha1.ConditionStalled)
	return c.suspend == c.showsSuspended() && (c.suspend || stalled || c.readyCondition().Reason != v1alpha1.ReasonInvalid)
}

// showsSuspended reports whether the status says that the resource is suspended.
func (c common) showsSuspended() bool {
	return meta.IsStatusConditionTrue(*c.conditions, v1alpha1.ConditionSuspended)
}

// isReady reports whether the resource is Ready at its current generation.
func (c common) isReady(o client.Object) bool {
	ready := c.readyCondition()
	return ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == o.GetGeneration()
}

func (r *Reconciler[R, W, F]) isReady(t R) bool { return r.kind.common(t).isReady(t) }

// patchStatus applies the status of next if it differs from that of t. It is no error if the resource no
// longer exists.
func (r *Reconciler[R, W, F]) patchStatus(ctx context.Context, t, next R) error {
	status := r.kind.configuration(next)
	if equality.Semantic.DeepEqual(r.kind.configuration(t), status) {
		return nil
	}
	return client.IgnoreNotFound(r.Status().Apply(ctx, status, FieldOwner, client.ForceOwnership))
}

// stalls reports whether the conditions have a Stalled of the owner. It is applied to the latest version only,
// so that it does not take fields from a mark that has just been written.
func stalls(conditions []metav1.Condition) bool {
	stalled := meta.FindStatusCondition(conditions, v1alpha1.ConditionStalled)
	return stalled != nil && !isMark(*stalled)
}

// nonempty returns a pointer to s, or nil if it is empty.
func nonempty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// conditionsToApply returns the conditions as a part of an apply configuration.
func conditionsToApply(conditions []metav1.Condition) (list []applymeta.ConditionApplyConfiguration) {
	for _, c := range conditions {
		if isMark(c) {
			continue // it belongs to another operator
		}
		list = append(list, *applymeta.Condition().
			WithType(c.Type).WithStatus(c.Status).WithReason(c.Reason).WithMessage(c.Message).
			WithObservedGeneration(c.ObservedGeneration).WithLastTransitionTime(c.LastTransitionTime))
	}
	return list
}
