// Package v1alpha1 is the Train resource: what a platform admin writes, what the
// operator answers, and nothing that acts.
//
//	spec ──▶ operator ──▶ the booking service
//	                           │
//	status ◀── operator ◀──────┘
//
// The schema refuses what can be refused without knowing what is sold (see Spec); the
// rest is told by conditions (see ConditionReady). There is no webhook: whatever
// cannot be said by the schema is found by the service, and ends in ReasonInvalid.
//
// Deepcopy functions, the CRD and the apply configurations are generated from the
// markers: make generate.
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

// SchemeGroupVersion is that of every type of this package.
var SchemeGroupVersion = schema.GroupVersion{Group: "trainbooking.dev", Version: "v1alpha1"}

// AddToScheme makes the types of this package known to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(SchemeGroupVersion, &Train{}, &TrainList{})
	metav1.AddToGroupVersion(s, SchemeGroupVersion)
	return nil
}
