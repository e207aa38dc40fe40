package operator

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"trainbooking.dev/operator/v1alpha1"
)

// The action of an event: what the operator was doing when it recorded it. Events with the
// same reason and action become a series that keeps only the first note.
const (
	actionReconcile = "Reconcile"
	actionCreate    = "Create"
	actionChange    = "Change"
	actionRemove    = "Remove"
	actionClaim     = "Claim"
)

// recordResult records an event if the result is new and not Ready, and one if the resource is suspended
// now. recordPut records the events of resources that became Ready.
func (r *Reconciler[R, W, F]) recordResult(t R, res result) {
	common := r.kind.common(t)
	if common.suspend && !common.showsSuspended() {
		r.record(t, corev1.EventTypeNormal, v1alpha1.ReasonSuspended, actionReconcile, suspendedMessage)
	}
	before := common.readyCondition()
	if res.ready == metav1.ConditionTrue || res.reason == before.Reason && res.message == before.Message {
		return
	}
	r.record(t, corev1.EventTypeWarning, res.reason, actionReconcile, res.message)
}

// recordPut records an event for a put. A put for a resource that was Ready corrects drift.
func (r *Reconciler[R, W, F]) recordPut(t R, put *W, created bool, found *F) {
	common, noun, ready := r.kind.common(t), r.kind.names().noun, r.isReady(t)
	id, _ := idOf(t) // it is valid, or there was no put
	switch {
	case ready && created:
		r.record(t, corev1.EventTypeWarning, v1alpha1.EventDriftCorrected, actionCreate,
			fmt.Sprintf("The %s was deleted at the service. It was created again, without its former bookings", noun))
	case ready && found != nil:
		r.record(t, corev1.EventTypeWarning, v1alpha1.EventDriftCorrected, actionChange,
			fmt.Sprintf("The %s was changed at the service and was restored: %s", noun, r.kind.difference(found, put)))
	case created:
		r.record(t, corev1.EventTypeNormal, v1alpha1.EventCreated, actionCreate,
			fmt.Sprintf("The %s %s was created at the service", noun, id))
	case !common.observed && common.id != "" && found != nil:
		r.record(t, corev1.EventTypeNormal, v1alpha1.EventAdopted, actionChange,
			fmt.Sprintf("The %s %s was adopted: %s", noun, id, r.kind.difference(found, put)))
	default:
		r.record(t, corev1.EventTypeNormal, v1alpha1.EventUpdated, actionChange,
			fmt.Sprintf("The %s was changed to match the spec", noun))
	}
}

// record records an event about t. It shortens the note, because the API server rejects one
// of more than 1,024 bytes.
func (r *Reconciler[R, W, F]) record(t R, kind, reason, action, note string) {
	const maxNote = 1000
	if len(note) > maxNote {
		note = string([]rune(note[:maxNote])) + " …"
	}
	r.events.Eventf(t, nil, kind, reason, action, "%s", note)
}

// change is a property that a put changes.
type change struct {
	name     string
	from, to any // comparable
}

// changes describes the properties that differ.
func changes(all ...change) (parts []string) {
	for _, c := range all {
		if c.from == c.to {
			continue
		}
		format := "%s %v to %v"
		if _, text := c.from.(string); text {
			format = "%s %q to %q"
		}
		parts = append(parts, fmt.Sprintf(format, c.name, c.from, c.to))
	}
	return parts
}
