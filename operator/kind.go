package operator

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// kind is what differs between the kinds of resources. R is a resource, W is what the service should
// have, F is what it has and how it sells.
//
//	R               W                 F                       implementation
//	*Train          booking.Train     booking.Availability    trains
//	*TrainSchedule  booking.Schedule  booking.ScheduleStatus  schedules
type kind[R client.Object, W, F any] interface {
	resources[R, W, F]
	atService[W, F]
}

// resources is the side of a kind at the API server.
type resources[R client.Object, W, F any] interface {
	names() names
	// empty returns a resource to read into.
	empty() R
	// list returns all resources of the cache. They belong to it and must not be modified.
	list(ctx context.Context, cache client.Reader) ([]R, error)
	common(t R) common
	// wanted returns what the spec asks for, normalized as the service stores it. Error:
	// invalid_request, if the spec breaks a rule that the schema cannot express.
	wanted(t R) (W, error)
	// departed returns the last time of what is wanted, and whether it is past, so that the operator
	// changes nothing at the service any more.
	departed(t R, want *W, now time.Time) (last time.Time, is bool)
	// observe writes what the service has into the status; nil removes it.
	observe(t R, found *F)
	// outdated reports whether observe would change the status.
	outdated(t R, found *F) bool
	// synced returns the message of a resource that the service matches, after observe.
	synced(t R) string
	// configuration returns the status to apply. The UID in it keeps the status from another resource
	// that was created under the same name.
	configuration(t R) runtime.ApplyConfiguration
}

// atService is the side of a kind at the service.
type atService[W, F any] interface {
	// all lists what the service has, page by page.
	all(ctx context.Context) iter.Seq2[F, error]
	idOf(found *F) uuid.UUID
	// find returns nil if the service has nothing with that id.
	find(ctx context.Context, id uuid.UUID) (*F, error)
	same(want *W, found *F) bool
	// difference describes how a put changes what the service has.
	difference(found *F, want *W) string
	put(ctx context.Context, want *W) (created bool, err error)
	// revert sets the field of want that err refuses because of booked or held seats back to its value
	// in found. It returns false if err refuses something else.
	revert(want *W, found *F, err error) (*booking.Error, bool)
	// remove applies a deletion policy and returns the event to record. It can be repeated. What is
	// gone has departed, and the service may have retired it.
	remove(ctx context.Context, id uuid.UUID, policy v1alpha1.DeletionPolicy, gone bool) (reason, note string, err error)
}

// names are the words for a kind in messages.
type names struct {
	resource string // Train
	noun     string // train, at the service
}

// common is what the resources of all kinds have.
type common struct {
	id       string // of the spec, or ""
	policy   v1alpha1.DeletionPolicy
	suspend  bool
	class    string // of the spec, or ""
	service  string // of the status: the owner, or ""
	observed bool   // the status has what the service has

	statusID   *string
	generation *int64
	conditions *[]metav1.Condition
}

// commonOf returns what a resource of any kind has.
func commonOf(o client.Object) common {
	switch o := o.(type) {
	case *v1alpha1.Train:
		return trains{}.common(o)
	case *v1alpha1.TrainSchedule:
		return schedules{}.common(o)
	}
	panic("not a resource of the operator") // the types are those of Setup
}

// idOf returns the id of a resource at the service: that of the spec, or the UID of the resource with
// its last bits cleared.
func idOf(o client.Object) (uuid.UUID, error) {
	switch o := o.(type) {
	case *v1alpha1.Train:
		id, err := trainID(o)
		return uuid.UUID(id), err
	case *v1alpha1.TrainSchedule:
		id, err := scheduleID(o)
		return uuid.UUID(id), err
	}
	panic("not a resource of the operator") // the types are those of Setup
}
