package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

const (
	// Finalizer keeps a Train or TrainSchedule until the operator has applied its DeletionPolicy. It is
	// added before anything is created at the service.
	Finalizer = "trainbooking.dev/train"

	// AnnotationAbandon with the value "true" makes the operator remove the finalizer of a
	// resource that is being deleted without a request to the service.
	AnnotationAbandon = "trainbooking.dev/abandon"

	// AnnotationGoneService has the name of a service that does not exist any more. A resource that
	// it owns (status.service) may be claimed by another one.
	AnnotationGoneService = "trainbooking.dev/gone-service"
)

// Train is a train whose seats the booking service sells.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=trains,singular=train,shortName=trn,categories={all,rail},scope=Namespaced
// +kubebuilder:printcolumn:name="From",type=string,JSONPath=`.status.from`,description="The first stop."
// +kubebuilder:printcolumn:name="To",type=string,JSONPath=`.status.to`,description="The last stop."
// +kubebuilder:printcolumn:name="Seats",type=integer,JSONPath=`.status.capacity`,description="How many seats the service sells."
// +kubebuilder:printcolumn:name="Booked",type=integer,JSONPath=`.status.booked`,description="Seats that are booked on at least one leg."
// +kubebuilder:printcolumn:name="Free",type=integer,JSONPath=`.status.free`,description="Seats that are free on every leg."
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether the train at the service matches the spec."
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why the train is ready or not."
// +kubebuilder:printcolumn:name="Suspended",type=boolean,JSONPath=`.spec.suspend`,description="Whether the operator leaves the service as it is."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Train",type=string,priority=1,JSONPath=`.status.trainID`,description="The id of the train at the service."
// +kubebuilder:printcolumn:name="Class",type=string,priority=1,JSONPath=`.spec.class`,description="The class of the operator that may put it on sale."
// +kubebuilder:printcolumn:name="Service",type=string,priority=1,JSONPath=`.status.service`,description="The service that owns it."
// +kubebuilder:selectablefield:JSONPath=`.status.from`
// +kubebuilder:selectablefield:JSONPath=`.status.to`
// +kubebuilder:selectablefield:JSONPath=`.status.service`
type Train struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the train that the service should sell.
	//
	// +required
	Spec TrainSpec `json:"spec"`

	// status is the train that the service sells, and why it differs from the spec.
	//
	// +optional
	// +kubebuilder:default={conditions: {{type: "Ready", status: "Unknown", reason: "Pending", message: "Waiting for the operator", lastTransitionTime: "1970-01-01T00:00:00Z"}}}
	Status TrainStatus `json:"status,omitempty,omitzero"`
}

// TrainSpec is the train that the service should sell.
//
// +kubebuilder:validation:XValidation:rule="has(self.trainID) == has(oldSelf.trainID) && (!has(self.trainID) || self.trainID == oldSelf.trainID)",message="trainID cannot change: delete this Train (deletionPolicy Retain keeps the train and its bookings) and create another with the trainID wanted"
type TrainSpec struct {
	// name is the name that passengers see. It must have a letter or digit and only characters
	// that can be seen. Spaces at its ends are removed.
	//
	// +required
	Name TrainName `json:"name"`

	// capacity is the number of seats, numbered from 1. It can grow at any time. It shrinks
	// once no seat above it is booked or held: until then the train keeps its seats, and
	// Ready is False with the reason CapacityInUse.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20000
	Capacity int32 `json:"capacity"`

	// The rules about times cannot use positions, because comprehensions with an index need
	// Kubernetes 1.33. They require instead that the earliest and the latest times of the
	// stops ascend, and that no two stops overlap.

	// stops are the stations where the train calls, in order. While a seat is booked or held, only
	// their times and spelling can change: until then Ready is False with the reason HasBookings.
	//
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=2
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(a, self.exists_one(b, a.station.trim().lowerAscii() == b.station.trim().lowerAscii()))",message="stops must call at each station once: rename or remove the stop that repeats a station"
	// +kubebuilder:validation:XValidation:rule="self.filter(s, has(s.arrivesAt) || has(s.departsAt)).map(s, has(s.arrivesAt) ? s.arrivesAt : s.departsAt).isSorted()",message="stops must not go back in time: each arrivesAt and departsAt must be at or after every time before it on the route, mind the UTC offsets"
	// +kubebuilder:validation:XValidation:rule="self.filter(s, has(s.arrivesAt) || has(s.departsAt)).map(s, has(s.departsAt) ? s.departsAt : s.arrivesAt).isSorted()",message="stops must not go back in time: each arrivesAt and departsAt must be at or after every time before it on the route, mind the UTC offsets"
	// +kubebuilder:validation:XValidation:rule="self.all(a, !has(a.arrivesAt) || !has(a.departsAt) || self.all(b, a.station == b.station || !has(b.arrivesAt) || !has(b.departsAt) || a.departsAt <= b.arrivesAt || b.departsAt <= a.arrivesAt))",message="stops must not go back in time: each arrivesAt and departsAt must be at or after every time before it on the route, mind the UTC offsets"
	Stops []Stop `json:"stops"`

	// onSale reports whether seats can be locked and booked. Bookings stay valid when it is
	// set to false.
	//
	// +optional
	// +kubebuilder:default=true
	OnSale *bool `json:"onSale,omitempty"`

	// salesOpenAt is a time like 2026-12-01T06:00:00+05:30. Before it no seat can be locked or booked.
	// By default sales begin at once.
	//
	// +optional
	// +kubebuilder:validation:Format=date-time
	// +kubebuilder:validation:MaxLength=35
	SalesOpenAt string `json:"salesOpenAt,omitempty"`

	// deletionPolicy decides what happens to the train when this resource is deleted. Retain
	// takes it off sale and keeps it with its bookings; another Train can adopt it by its
	// trainID. Cancel cancels its bookings and deletes it.
	//
	// +optional
	// +kubebuilder:default=Retain
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// trainID adopts a train that the service already has, such as one that was retained, or
	// is the id of the train to create. By default the id is derived from the UID of this
	// resource. It cannot change.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=36
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{8}0000$`
	// +kubebuilder:validation:XValidation:rule="self != '00000000-0000-0000-0000-000000000000'",message="trainID must be the id of a train: a UUID in lower case whose last four digits are 0, and not all zero"
	TrainID string `json:"trainID,omitempty"`

	// class is the class of the operator that puts the train on sale: the one that was started with
	// the same --class, or without a class the one without. It counts until a service owns the train
	// (status.service): a change after that moves nothing.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Class string `json:"class,omitempty"`

	// suspend stops the operator from changing the train at the service. The status still
	// follows sales. A deletion waits until suspend is false.
	//
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// Stop is a station where a train calls. The times are optional. Their UTC offset is kept,
// because searches by date use it.
//
// +kubebuilder:validation:XValidation:rule="!has(self.arrivesAt) || !has(self.departsAt) || self.arrivesAt <= self.departsAt",message="departsAt must not be before arrivesAt, mind the UTC offsets"
type Stop struct {
	// station is the name of the station. Use the same name for every train that calls there. It
	// must have a letter or digit and only characters that can be seen.
	//
	// +required
	Station Station `json:"station"`

	// arrivesAt is a time like 2026-12-01T06:00:00+05:30.
	//
	// +optional
	// +kubebuilder:validation:Format=date-time
	// +kubebuilder:validation:MaxLength=35
	ArrivesAt string `json:"arrivesAt,omitempty"`

	// departsAt is a time like 2026-12-01T06:05:00+05:30. From then on no seat is sold from
	// this stop.
	//
	// +optional
	// +kubebuilder:validation:Format=date-time
	// +kubebuilder:validation:MaxLength=35
	DepartsAt string `json:"departsAt,omitempty"`
}

// DeletionPolicy decides what happens to a train when its resource is deleted.
//
// +kubebuilder:validation:Enum=Retain;Cancel
type DeletionPolicy string

const (
	// DeletionRetain takes the train off sale and keeps it with its bookings.
	DeletionRetain DeletionPolicy = "Retain"
	// DeletionCancel cancels the bookings of the train and deletes it.
	DeletionCancel DeletionPolicy = "Cancel"
)

// TrainStatus is the train that the service sells. Its figures follow sales within about 30
// seconds. A field is absent until it is known.
type TrainStatus struct {
	// observedGeneration is the generation of the spec that the conditions describe.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// trainID is the id of the train at the service.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=36
	TrainID string `json:"trainID,omitempty"`

	// from is the first stop. Trains can be selected by it:
	// kubectl get trains --field-selector status.from=Delhi.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=255
	From string `json:"from,omitempty"`

	// to is the last stop. Trains can be selected by it.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=255
	To string `json:"to,omitempty"`

	// capacity is how many seats the service sells. booked, held and free add up to it.
	//
	// +optional
	Capacity *int32 `json:"capacity,omitempty"`

	// booked is how many seats are booked on at least one leg.
	//
	// +optional
	Booked *int32 `json:"booked,omitempty"`

	// held is how many seats are held on at least one leg and booked on none.
	//
	// +optional
	Held *int32 `json:"held,omitempty"`

	// free is how many seats are free on every leg.
	//
	// +optional
	Free *int32 `json:"free,omitempty"`

	// service is the booking service that owns the train. It is stored before the service gets the
	// train. The operators of other services do not change it. Resources can be selected by it.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Service string `json:"service,omitempty"`

	// conditions are Ready, always, and Stalled, Reconciling or Suspended while they are True.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// TrainList is a page of Trains.
//
// +kubebuilder:object:root=true
type TrainList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Train `json:"items"`
}
