package operator

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// The action of an event: what the operator was doing when it recorded it. Events with the
// same reason and action become a series that keeps only the first note.
const (
	actionReconcile = "Reconcile"
	actionCreate    = "Create"
	actionChange    = "Change"
	actionRemove    = "Remove"
)

// recordResult records an event if the result is new and not Ready. recordPut records the
// events of Trains that became Ready.
func (r *Reconciler) recordResult(t *v1alpha1.Train, res result) {
	before := readyCondition(t)
	if res.ready == metav1.ConditionTrue || res.reason == before.Reason && res.message == before.Message {
		return
	}
	kind := corev1.EventTypeWarning
	if res.reason == v1alpha1.ReasonSuspended {
		kind = corev1.EventTypeNormal
	}
	r.record(t, kind, res.reason, actionReconcile, res.message)
}

// recordPut records an event for a put. A put for a Train that was Ready corrects drift.
func (r *Reconciler) recordPut(t *v1alpha1.Train, put *booking.Train, created bool, found *booking.Availability) {
	switch {
	case isReady(t) && created:
		r.record(t, corev1.EventTypeWarning, v1alpha1.EventDriftCorrected, actionCreate,
			"The train was deleted at the service. It was created again, without its former bookings")
	case isReady(t) && found != nil:
		r.record(t, corev1.EventTypeWarning, v1alpha1.EventDriftCorrected, actionChange,
			"The train was changed at the service and was restored: "+difference(found.Train, put))
	case created:
		r.record(t, corev1.EventTypeNormal, v1alpha1.EventCreated, actionCreate,
			"The train "+put.ID.String()+" was created at the service")
	case t.Status.Capacity == nil && t.Spec.TrainID != "" && found != nil:
		r.record(t, corev1.EventTypeNormal, v1alpha1.EventAdopted, actionChange,
			"The train "+put.ID.String()+" was adopted: "+difference(found.Train, put))
	default:
		r.record(t, corev1.EventTypeNormal, v1alpha1.EventUpdated, actionChange, "The train was changed to match the spec")
	}
}

// difference describes how a put changed a train.
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

// record records an event about t. It shortens the note, because the API server rejects one
// of more than 1,024 bytes.
func (r *Reconciler) record(t *v1alpha1.Train, kind, reason, action, note string) {
	const maxNote = 1000
	if len(note) > maxNote {
		note = string([]rune(note[:maxNote])) + " …"
	}
	r.events.Eventf(t, nil, kind, reason, action, "%s", note)
}
