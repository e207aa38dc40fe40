package operator

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/operator/v1alpha1"
)

// Seller is who sells a resource: the service that owns it, or if none does, that of the operator with a class.
type Seller struct {
	Service string
	Class   string // "" if there is a service
}

// Resource is a Train or a TrainSchedule.
type Resource = client.Object

// SellerOf returns the seller of a resource. A service that is declared gone owns nothing.
func SellerOf(o Resource) Seller {
	c := commonOf(o)
	if c.service == "" || declaredGone(o, c) {
		return Seller{Class: c.class}
	}
	return Seller{Service: c.service}
}

func declaredGone(o client.Object, c common) bool {
	return c.service != "" && o.GetAnnotations()[v1alpha1.AnnotationGoneService] == c.service
}

// soldElsewhere reports whether another service than the one that was asked, which does not have it, seems to
// sell a resource: its owner had it. What has departed may be retired.
func soldElsewhere(o client.Object) bool {
	c := commonOf(o)
	return SellerOf(o).Service != "" && c.observed && c.readyCondition().Reason != v1alpha1.ReasonDeparted
}

func planElsewhere(o client.Object) Plan {
	return plan(EffectUnknown, "the service does not have it, but "+SellerOf(o).Service+
		" sells it (status.service): ask that one. If this is that one, the operator restores it")
}
