package operator

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// finalize applies the deletion policy at the service and removes the finalizer. It returns a
// result while the Train has to wait, and nil once the finalizer is removed. A train that is gone
// has departed, and the service may have retired it.
func (r *Reconciler) finalize(ctx context.Context, t *v1alpha1.Train, gone bool) (*result, error) {
	if !controllerutil.ContainsFinalizer(t, v1alpha1.Finalizer) {
		return nil, nil // only finalizers of others are left
	}
	id, err := idOf(t)
	if t.Annotations[v1alpha1.AnnotationAbandon] == "true" || err != nil {
		r.record(t, corev1.EventTypeWarning, v1alpha1.EventAbandoned, actionRemove,
			"The service was not called: if it has the train "+id.String()+", it keeps it unchanged")
		return nil, r.removeFinalizer(ctx, t)
	}
	if t.Spec.Suspend {
		return deleting("Waiting for spec.suspend to be false; the annotation "+
			v1alpha1.AnnotationAbandon+": \"true\" removes this Train at once and leaves the train at the service unchanged", nil), nil
	}
	owner, err := r.conflictingOwner(ctx, t)
	if err != nil {
		return nil, err
	}
	if owner != "" { // the train at the service belongs to that Train
		return nil, r.removeFinalizer(ctx, t)
	}
	reason, note, err := r.applyDeletionPolicy(ctx, t, id, gone)
	if err != nil {
		return deleting("Waiting for the service: "+describe(err), err), nil
	}
	r.record(t, corev1.EventTypeNormal, reason, actionRemove, note)
	return nil, r.removeFinalizer(ctx, t)
}

func deleting(message string, cause error) *result {
	return &result{ready: metav1.ConditionFalse, reason: v1alpha1.ReasonDeleting, message: message, cause: cause}
}

// applyDeletionPolicy stops sales of the train or deletes it, and returns the event to record.
func (r *Reconciler) applyDeletionPolicy(
	ctx context.Context, t *v1alpha1.Train, id booking.TrainID, gone bool,
) (reason, note string, err error) {
	if t.Spec.DeletionPolicy == v1alpha1.DeletionCancel {
		err := r.service.DeleteTrain(ctx, id, true)
		if err != nil && booking.CodeOf(err) != booking.CodeNotFound {
			return "", "", err
		}
		return v1alpha1.EventCancelled, "The train " + id.String() + " was deleted and its bookings were cancelled", nil
	}
	if gone {
		return v1alpha1.EventRetained, "The train " + id.String() + " has departed: the service keeps it with its bookings", nil
	}
	found, err := r.find(ctx, id)
	if err != nil {
		return "", "", err
	}
	if found == nil {
		return v1alpha1.EventRetained, "The service has no train " + id.String() + ": nothing is retained", nil
	}
	if found.Train.OnSale {
		off := *found.Train
		off.OnSale = false
		if _, _, err := r.service.PutTrain(ctx, off); err != nil {
			return "", "", err
		}
	}
	return v1alpha1.EventRetained, "The train " + id.String() +
		" is retained off sale with its bookings; a Train with this spec.trainID adopts it", nil
}

// addFinalizer keeps the Train from being deleted before finalize has run.
func (r *Reconciler) addFinalizer(ctx context.Context, t *v1alpha1.Train) error {
	return r.patchFinalizers(ctx, t, controllerutil.AddFinalizer)
}

func (r *Reconciler) removeFinalizer(ctx context.Context, t *v1alpha1.Train) error {
	return client.IgnoreNotFound(r.patchFinalizers(ctx, t, controllerutil.RemoveFinalizer))
}

// patchFinalizers uses optimistic locking, because the patch replaces the whole list.
func (r *Reconciler) patchFinalizers(
	ctx context.Context, t *v1alpha1.Train, change func(client.Object, string) bool,
) error {
	before := t.DeepCopy()
	if !change(t, v1alpha1.Finalizer) {
		return nil
	}
	err := r.Patch(ctx, t, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}), FieldOwner)
	if err != nil {
		return fmt.Errorf("patch the finalizers: %w", err)
	}
	return nil
}
