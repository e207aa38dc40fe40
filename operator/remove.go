package operator

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// remove does at the service what the deletion policy says and lets the Train go. Its
// verdict says what it waits for.
func (r *Reconciler) remove(ctx context.Context, t *v1alpha1.Train) (*verdict, error) {
	if !controllerutil.ContainsFinalizer(t, v1alpha1.Finalizer) {
		return nil, nil // others' finalizers are others' matter
	}
	id, err := idOf(t)
	if t.Annotations[v1alpha1.AnnotationAbandon] == "true" || err != nil {
		r.event(t, corev1.EventTypeWarning, v1alpha1.EventAbandoned, actionRemove,
			"The service was not asked: if it has the train "+id.String()+", it keeps it as it is")
		return nil, r.release(ctx, t)
	}
	if t.Spec.Suspend {
		return deleting("Waiting for spec.suspend to be false; the annotation "+
			v1alpha1.AnnotationAbandon+": \"true\" leaves the train as it is at once", nil), nil
	}
	elder, err := r.elder(ctx, t)
	if err != nil {
		return nil, err
	}
	if elder != "" { // its train, not ours
		return nil, r.release(ctx, t)
	}
	reason, note, err := r.withdraw(ctx, t, id)
	if err != nil {
		return deleting("Waiting for the service: "+sentence(err), err), nil
	}
	r.event(t, corev1.EventTypeNormal, reason, actionRemove, note)
	return nil, r.release(ctx, t)
}

func deleting(message string, cause error) *verdict {
	return &verdict{
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonDeleting, message: message, cause: cause,
	}
}

// withdraw ends what the service sells under id, and returns the event for it.
func (r *Reconciler) withdraw(ctx context.Context, t *v1alpha1.Train, id booking.TrainID) (reason, note string, err error) {
	if t.Spec.DeletionPolicy == v1alpha1.DeletionCancel {
		err := r.service.DeleteTrain(ctx, id, true)
		if err != nil && booking.CodeOf(err) != booking.CodeNotFound {
			return "", "", err
		}
		return v1alpha1.EventCancelled, "The train " + id.String() + " is deleted, its bookings are cancelled", nil
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
		" is retained off sale with its bookings; a Train with this spec.trainID takes it up again", nil
}

// release drops the finalizer, and with it the Train unless another holds it.
func (r *Reconciler) release(ctx context.Context, t *v1alpha1.Train) error {
	return client.IgnoreNotFound(r.finalize(ctx, t, controllerutil.RemoveFinalizer))
}
