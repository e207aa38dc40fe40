package operator

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/operator/v1alpha1"
)

// The service in status.service owns the resource, and only the operator of that service changes it. The class
// decides which operator may claim a resource without an owner, as the schedulerName of a pod decides which
// scheduler chooses its node.

// identity is the service of an operator and its class.
type identity struct{ service, class string }

// standing is the relation of a resource to an operator.
type standing int

const (
	foreign  standing = iota // neither its class nor its owner is that of this operator
	owned                    // the service of this operator owns it
	free                     // this operator may claim it
	taken                    // it has the class of this operator, but another service owns it
	disowned                 // an admin has declared the service of this operator gone
)

func (i identity) standing(o client.Object, c common) standing {
	gone := declaredGone(o, c)
	switch {
	case c.service == i.service && gone:
		return disowned
	case c.service == i.service:
		return owned
	case c.class != i.class:
		return foreign
	case c.service == "" || gone:
		return free
	}
	return taken
}

// sells reports whether the operator puts a resource on sale, now or after it has claimed it.
func (i identity) sells(o client.Object) bool {
	is := i.standing(o, commonOf(o))
	return is == owned || is == free
}

// An operator of another service with the same class marks a resource with the condition Stalled and
// ReasonOtherService. It writes nothing else, and only if there is no such condition yet, so that no two
// operators write the same field.

// markMessage returns the message of the mark that the resource should have from this operator, or "".
func (i identity) markMessage(o client.Object, c common, kind string) string {
	if i.standing(o, c) != taken {
		return ""
	}
	return fmt.Sprintf("%s this %s alone, because the service %s owns it (status.service). Give it another spec.class, or "+
		"if that service is gone, hand it over with the annotation %s: %s",
		i.markPrefix(), kind, c.service, v1alpha1.AnnotationGoneService, c.service)
}

func (i identity) markPrefix() string { return "The operator of " + i.service + " leaves" }

// needsMark reports whether to replace the mark of the resource by message.
func (i identity) needsMark(c common, message string) bool {
	stalled := meta.FindStatusCondition(*c.conditions, v1alpha1.ConditionStalled)
	switch {
	case stalled == nil:
		return message != ""
	case !isMark(*stalled) || !strings.HasPrefix(stalled.Message, i.markPrefix()):
		return false // the owner or another operator has written it
	}
	return stalled.Message != message
}

// isMark reports whether a condition was written by an operator of another service.
func isMark(c metav1.Condition) bool {
	return c.Type == v1alpha1.ConditionStalled && c.Reason == v1alpha1.ReasonOtherService
}

// marked reports whether an operator of another service has marked the resource.
func (c common) marked() bool {
	stalled := meta.FindStatusCondition(*c.conditions, v1alpha1.ConditionStalled)
	return stalled != nil && isMark(*stalled)
}
