package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// TrainSchedule is a train that runs on many days. The booking service sells a departure on each of
// them.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=trainschedules,singular=trainschedule,shortName=trs,categories={all,rail},scope=Namespaced
// +kubebuilder:printcolumn:name="From",type=string,JSONPath=`.status.from`,description="The first stop."
// +kubebuilder:printcolumn:name="To",type=string,JSONPath=`.status.to`,description="The last stop."
// +kubebuilder:printcolumn:name="Days",type=string,JSONPath=`.status.days`,description="The days of the week on which it runs."
// +kubebuilder:printcolumn:name="Next Departure",type=string,JSONPath=`.status.nextDeparture`,description="The date of the next departure that a passenger can book."
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether the schedule at the service matches the spec."
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why the schedule is ready or not."
// +kubebuilder:printcolumn:name="Suspended",type=boolean,JSONPath=`.spec.suspend`,description="Whether the operator leaves the service as it is."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Sold Until",type=string,priority=1,JSONPath=`.status.soldUntil`,description="The last date that is on sale now."
// +kubebuilder:printcolumn:name="With Sales",type=integer,priority=1,JSONPath=`.status.departuresWithSales`,description="How many departures have bookings."
// +kubebuilder:printcolumn:name="Diverged",type=integer,priority=1,JSONPath=`.status.diverged.count`,description="How many departures differ from the schedule."
// +kubebuilder:printcolumn:name="Schedule",type=string,priority=1,JSONPath=`.status.scheduleID`,description="The id of the schedule at the service."
// +kubebuilder:printcolumn:name="Class",type=string,priority=1,JSONPath=`.spec.class`,description="The class of the operator that may put it on sale."
// +kubebuilder:printcolumn:name="Service",type=string,priority=1,JSONPath=`.status.service`,description="The service that owns it."
// +kubebuilder:selectablefield:JSONPath=`.status.from`
// +kubebuilder:selectablefield:JSONPath=`.status.to`
// +kubebuilder:selectablefield:JSONPath=`.status.service`
type TrainSchedule struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the schedule that the service should sell.
	//
	// +required
	Spec TrainScheduleSpec `json:"spec"`

	// status is the schedule that the service sells, and why it differs from the spec.
	//
	// +optional
	// +kubebuilder:default={conditions: {{type: "Ready", status: "Unknown", reason: "Pending", message: "Waiting for the operator", lastTransitionTime: "1970-01-01T00:00:00Z"}}}
	Status TrainScheduleStatus `json:"status,omitempty,omitzero"`
}

// TrainScheduleSpec is the schedule that the service should sell. A change applies to the departures
// that have no sales, and to those with sales as far as nobody loses a seat.
//
// +kubebuilder:validation:XValidation:rule="has(self.scheduleID) == has(oldSelf.scheduleID) && (!has(self.scheduleID) || self.scheduleID == oldSelf.scheduleID)",message="scheduleID cannot change: delete this TrainSchedule (deletionPolicy Retain keeps the departures with bookings) and create another with the scheduleID wanted"
// +kubebuilder:validation:XValidation:rule="self.from <= self.until",message="until must not be before from"
// +kubebuilder:validation:XValidation:rule="!has(self.exceptions) || self.exceptions.all(e, self.from <= e.date && e.date <= self.until)",message="exceptions must be within from and until: move those, or remove the exception"
// +kubebuilder:validation:XValidation:rule="has(self.days) && size(self.days) > 0 || has(self.exceptions) && self.exceptions.exists(e, e.runs)",message="days must have a day, unless exceptions have a date on which it runs"
type TrainScheduleSpec struct {
	// name is the name that passengers see. It must have a letter or digit and only characters
	// that can be seen. Spaces at its ends are removed.
	//
	// +required
	Name TrainName `json:"name"`

	// capacity is the number of seats of each departure, numbered from 1. A departure with a booked or
	// held seat above a lower capacity keeps its own, which status.diverged shows.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20000
	Capacity int32 `json:"capacity"`

	// onSale reports whether seats can be locked and booked. Bookings stay valid when it is
	// set to false.
	//
	// +optional
	// +kubebuilder:default=true
	OnSale *bool `json:"onSale,omitempty"`

	// timeZone is the time zone of the dates and times, such as Asia/Kolkata.
	//
	// +required
	TimeZone TimeZone `json:"timeZone"`

	// days are the days of the week on which it runs, such as [mon, tue, fri]. They may be missing if
	// exceptions have the dates on which it runs.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=7
	Days []Weekday `json:"days,omitempty"`

	// from is the first day on which it runs, such as 2026-12-01.
	//
	// +required
	From Date `json:"from"`

	// until is the last day on which it runs. A departure with bookings after a new until is withdrawn
	// from sale and keeps them.
	//
	// +required
	Until Date `json:"until"`

	// exceptions are the dates on which it runs though its days do not say so, or does not run
	// though they do. A departure with bookings on a day without service is withdrawn from sale and
	// keeps them.
	//
	// +optional
	// +listType=map
	// +listMapKey=date
	// +kubebuilder:validation:MaxItems=1000
	Exceptions []Exception `json:"exceptions,omitempty"`

	// soldDaysAhead is how many days before its date a departure goes on sale, at the beginning of that
	// day. 0 means on the day itself.
	//
	// +optional
	// +kubebuilder:default=60
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=730
	SoldDaysAhead *int32 `json:"soldDaysAhead,omitempty"`

	// stops are the stations where the departures call, in order. Other times and spelling apply to every
	// departure. While seats of a departure are booked or held it keeps its stations, with their times,
	// which status.diverged shows.
	//
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=2
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(a, self.exists_one(b, a.station.trim().lowerAscii() == b.station.trim().lowerAscii()))",message="stops must call at each station once: rename or remove the stop that repeats a station"
	// +kubebuilder:validation:XValidation:rule="has(self[0].departs) && has(self[size(self) - 1].arrives)",message="stops must have the time at which trains depart from the first and arrive at the last"
	// +kubebuilder:validation:XValidation:rule="!has(self[0].arrives) && !has(self[size(self) - 1].departs)",message="stops must not have an arrival at the first and a departure from the last: remove these times"
	// +kubebuilder:validation:XValidation:rule="self.map(s, has(s.arrives) || has(s.departs), duration(((has(s.arrives) ? s.arrives : s.departs) + ':0').replace(':', 'h', 1).replace(':', 'm', 1).replace(':', 's') + 's')).isSorted()",message="stops must not go back in time: each arrives and departs must be at or after every time before it on the route; after midnight the hours go on, as in 25:10"
	// +kubebuilder:validation:XValidation:rule="self.map(s, has(s.arrives) || has(s.departs), duration(((has(s.departs) ? s.departs : s.arrives) + ':0').replace(':', 'h', 1).replace(':', 'm', 1).replace(':', 's') + 's')).isSorted()",message="stops must not go back in time: each arrives and departs must be at or after every time before it on the route; after midnight the hours go on, as in 25:10"
	// +kubebuilder:validation:XValidation:rule="self.all(a, !has(a.arrives) || !has(a.departs) || self.all(b, a.station == b.station || !has(b.arrives) || !has(b.departs) || duration((a.departs + ':0').replace(':', 'h', 1).replace(':', 'm', 1).replace(':', 's') + 's') <= duration((b.arrives + ':0').replace(':', 'h', 1).replace(':', 'm', 1).replace(':', 's') + 's') || duration((b.departs + ':0').replace(':', 'h', 1).replace(':', 'm', 1).replace(':', 's') + 's') <= duration((a.arrives + ':0').replace(':', 'h', 1).replace(':', 'm', 1).replace(':', 's') + 's')))",message="stops must not go back in time: each arrives and departs must be at or after every time before it on the route; after midnight the hours go on, as in 25:10"
	Stops []StopTime `json:"stops"`

	// deletionPolicy decides what happens to the departures with bookings when this resource is deleted.
	// Retain takes them off sale and keeps them; another TrainSchedule can adopt them by its scheduleID.
	// Cancel cancels the bookings. The schedule and its other departures are deleted in any case.
	//
	// +optional
	// +kubebuilder:default=Retain
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// scheduleID adopts a schedule that the service already has, such as one that was imported or
	// retained, or is the id of the schedule to create. By default the id is derived from the UID of this
	// resource. It cannot change.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=36
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}00000000$`
	// +kubebuilder:validation:XValidation:rule="self != '00000000-0000-0000-0000-000000000000'",message="scheduleID must be the id of a schedule: a UUID in lower case whose last eight digits are 0, and not all zero"
	ScheduleID string `json:"scheduleID,omitempty"`

	// class is the class of the operator that puts the schedule on sale: the one that was started with
	// the same --class, or without a class the one without. It counts until a service owns the schedule
	// (status.service): a change after that moves nothing.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Class string `json:"class,omitempty"`

	// suspend stops the operator from changing the schedule at the service. The status still
	// follows sales. A deletion waits until suspend is false.
	//
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// StopTime is a station where the departures of a schedule call, and when, on the clock of the
// schedule's timeZone. The times are optional, but for the departure from the first station and the
// arrival at the last.
//
// +kubebuilder:validation:XValidation:rule="!has(self.arrives) || !has(self.departs) || duration((self.arrives + ':0').replace(':', 'h', 1).replace(':', 'm', 1).replace(':', 's') + 's') <= duration((self.departs + ':0').replace(':', 'h', 1).replace(':', 'm', 1).replace(':', 's') + 's')",message="departs must not be before arrives: after midnight the hours go on, as in 25:10"
type StopTime struct {
	// station is the name of the station. Use the same name for every train that calls there. It
	// must have a letter or digit and only characters that can be seen.
	//
	// +required
	Station Station `json:"station"`

	// arrives is a time like 08:05 or, in the night after the day of the departure, 25:10.
	//
	// +optional
	Arrives LocalTime `json:"arrives,omitempty"`

	// departs is a time like 08:05 or, in the night after the day of the departure, 25:10. From then on
	// no seat is sold from this stop.
	//
	// +optional
	Departs LocalTime `json:"departs,omitempty"`

	// timeZone is the time zone of the station, if it is another one. It does not move the times: they
	// are on the clock of the schedule. Passengers see them on the clock of the station.
	//
	// +optional
	TimeZone TimeZone `json:"timeZone,omitempty"`
}

// Exception is a date that is not as the days of the week say.
type Exception struct {
	// date is a day within from and until.
	//
	// +required
	Date Date `json:"date"`

	// runs reports whether there is a departure on this date.
	//
	// +required
	Runs bool `json:"runs"`
}

// Weekday is a day of the week.
//
// +kubebuilder:validation:Enum=mon;tue;wed;thu;fri;sat;sun
type Weekday string

// Date is a day like 2026-12-01.
//
// +kubebuilder:validation:Format=date
// +kubebuilder:validation:MaxLength=10
// +kubebuilder:validation:XValidation:rule="timestamp('2020-01-02T00:00:00Z') <= self && self <= timestamp('2199-06-06T00:00:00Z')",message="dates must be 2020-01-02 to 2199-06-06"
type Date string

// LocalTime is a time of the day of a departure, like 08:05, 23:59:30 or, in the next night, 25:10.
//
// +kubebuilder:validation:MaxLength=9
// +kubebuilder:validation:Pattern=`^(([01]?[0-9]?[0-9]|2[0-3][0-9]):[0-5][0-9](:[0-5][0-9])?|240:00(:00)?)$`
type LocalTime string

// TimeZone is a name of the IANA time zone database.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:XValidation:rule="self != 'Local' && self.matches('^[A-Z][A-Za-z0-9_+/-]*$')",message="timeZone must be the name of a time zone, such as Europe/Berlin"
type TimeZone string

// TrainScheduleStatus is the schedule that the service sells. It follows sales within about 30 seconds.
// A field is absent until it is known, and while it has no value.
type TrainScheduleStatus struct {
	// observedGeneration is the generation of the spec that the conditions describe.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// scheduleID is the id of the schedule at the service.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=36
	ScheduleID string `json:"scheduleID,omitempty"`

	// from is the first stop. Schedules can be selected by it:
	// kubectl get trainschedules --field-selector status.from=Delhi.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=255
	From string `json:"from,omitempty"`

	// to is the last stop. Schedules can be selected by it.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=255
	To string `json:"to,omitempty"`

	// days are the days of the week on which it runs: daily, or such as mon-fri,sun.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Days string `json:"days,omitempty"`

	// nextDeparture is the date of the next departure that a passenger can book.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=10
	NextDeparture string `json:"nextDeparture,omitempty"`

	// soldUntil is the last date that is on sale now.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=10
	SoldUntil string `json:"soldUntil,omitempty"`

	// departuresWithSales is how many departures have bookings, without those that are long past.
	//
	// +optional
	DeparturesWithSales *int32 `json:"departuresWithSales,omitempty"`

	// diverged are the departures that differ from the schedule: because their bookings keep them as
	// they were when the schedule changed, or because somebody changed one of them, such as for a delay.
	//
	// +optional
	Diverged *DivergedDepartures `json:"diverged,omitempty"`

	// service is the booking service that owns the schedule. It is stored before the service gets the
	// schedule. The operators of other services do not change it. Resources can be selected by it.
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

// DivergedDepartures are departures that differ from their schedule.
type DivergedDepartures struct {
	// count is the number of all of them.
	//
	// +required
	Count int32 `json:"count"`

	// dates are the first of them.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MaxLength=10
	Dates []string `json:"dates,omitempty"`
}

// TrainScheduleList is a page of TrainSchedules.
//
// +kubebuilder:object:root=true
type TrainScheduleList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []TrainSchedule `json:"items"`
}
