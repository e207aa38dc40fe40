package v1alpha1

// The types of the conditions. Their polarity differs, as in all of kstatus: Ready is
// good when True, the others are trouble or work, and are absent when there is none.
const (
	// ConditionReady reports whether the service sells exactly what the spec says. It is
	// never absent: Unknown with ReasonPending until the operator has looked.
	ConditionReady = "Ready"

	// ConditionStalled is True when the operator will not try again by itself: a person
	// must change the spec, or another resource. Absent otherwise.
	ConditionStalled = "Stalled"

	// ConditionReconciling is True while the operator is working towards the spec, or
	// waits for what it needs. Absent once settled, and when Stalled.
	ConditionReconciling = "Reconciling"
)

// The reasons of ConditionReady. Where Stalled or Reconciling is True, it has the same
// reason and message.
const (
	// ReasonPending: Unknown; the operator has not looked yet. It is the default of the
	// schema.
	ReasonPending = "Pending"

	// ReasonSynced: True; the service sells exactly what the spec says.
	ReasonSynced = "Synced"

	// ReasonInvalid: False, Stalled; the service, or another Train with the same trainID,
	// refuses the spec. The message says what to change.
	ReasonInvalid = "Invalid"

	// ReasonCapacityInUse: False, Reconciling; seats that would go are booked or held. The
	// message names them. The rest of the change waits with them; it is tried again when
	// seats become free.
	ReasonCapacityInUse = "CapacityInUse"

	// ReasonHasBookings: False, Reconciling; stops cannot change under booked or held
	// seats. It is tried again when seats become free.
	ReasonHasBookings = "HasBookings"

	// ReasonServiceUnavailable: False, Reconciling; the service cannot be reached, is
	// overloaded, or does not accept the operator's token. The message says which. It is
	// tried again, more and more seldom, and at least every few minutes.
	ReasonServiceUnavailable = "ServiceUnavailable"

	// ReasonSuspended: False; spec.suspend is true, and the train is left as it is.
	ReasonSuspended = "Suspended"

	// ReasonDeleting: False, Reconciling; the resource is being deleted and what its
	// deletionPolicy says is not done yet. The message says what it waits for.
	ReasonDeleting = "Deleting"
)

// The reasons of events, beside those of the conditions.
const (
	// EventCreated: the service has the train, for the first time.
	EventCreated = "Created"
	// EventUpdated: the service has changed the train to what the spec says.
	EventUpdated = "Updated"
	// EventAdopted: the service had a train with the spec's trainID, which is now this one.
	EventAdopted = "Adopted"
	// EventDriftCorrected: somebody had changed or deleted the train at the service, and
	// it was put back.
	EventDriftCorrected = "DriftCorrected"
	// EventRetained: the resource is gone; the train is off sale, and the message has its id.
	EventRetained = "Retained"
	// EventCancelled: the resource is gone, and so are the train and its bookings.
	EventCancelled = "Cancelled"
	// EventAbandoned: the resource is gone, and the service was not asked.
	EventAbandoned = "Abandoned"
)
