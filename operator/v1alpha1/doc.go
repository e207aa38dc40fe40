// Package v1alpha1 defines the TrainSchedule and Train resources: the specs that a platform admin
// writes and the statuses that the operator writes.
//
//	spec ──▶ operator ──▶ the booking service
//	                           │
//	status ◀── operator ◀──────┘
//
// The schemas reject a spec that is invalid regardless of the seats sold (see TrainSpec).
// Conditions report everything else (see ConditionReady). There is no webhook: if a spec breaks
// a rule that the schema cannot express, the service rejects it, which is ReasonInvalid.
//
// The API server limits the estimated cost of CEL rules, which controller-gen does not check:
// every string and list under a rule needs a maximum length. The elements of a list that was
// computed, as by filter, have none.
//
// make generate generates the deepcopy functions, the CRD and the apply configurations.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +groupName=trainbooking.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// SchemeGroupVersion is the group and version of the types in this package.
var SchemeGroupVersion = schema.GroupVersion{Group: "trainbooking.dev", Version: "v1alpha1"}

// AddToScheme adds the types of this package to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(SchemeGroupVersion, &Train{}, &TrainList{}, &TrainSchedule{}, &TrainScheduleList{})
	metav1.AddToGroupVersion(s, SchemeGroupVersion)
	return nil
}
