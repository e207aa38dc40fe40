package v1alpha1

// The types of the conditions, as in kstatus: Ready is good when True; the others are present
// only while they are True.
const (
	// ConditionReady reports whether the train or schedule at the service matches the spec. It is always
	// present: Unknown with ReasonPending before the first reconcile.
	ConditionReady = "Ready"

	// ConditionSuspended is True while spec.suspend is true: the operator changes nothing at the service.
	// Ready stays as it was, or is True with ReasonSuspended if the operator has not reconciled it before.
	ConditionSuspended = "Suspended"

	// ConditionStalled is True when the operator does not retry: a person must change the
	// spec or another resource.
	ConditionStalled = "Stalled"

	// ConditionReconciling is True while the operator is working towards the spec or waiting
	// for something it needs.
	ConditionReconciling = "Reconciling"
)

// The reasons of ConditionReady. Stalled and Reconciling have the same reason and message. Suspended has
// its own.
const (
	// ReasonPending: Unknown; before the first reconcile. It is the default of the schema.
	ReasonPending = "Pending"

	// ReasonSynced: True; the train or schedule at the service matches the spec. Departures of a schedule
	// that differ from it are in the message and in status.diverged.
	ReasonSynced = "Synced"

	// ReasonDeparted: True; the last time of the spec is past, and the operator changes nothing at
	// the service any more. The figures are the last ones.
	ReasonDeparted = "Departed"

	// ReasonInvalid: False, Stalled; the service rejects the spec, or an older resource has the
	// same id. The message names what to change.
	ReasonInvalid = "Invalid"

	// ReasonOtherService: of Stalled alone; the operator of another service, whose class is that of the
	// resource, leaves it to the service in status.service. Ready is written by the operator of that one.
	ReasonOtherService = "OtherService"

	// ReasonCapacityInUse: False, Reconciling; seats above the new capacity are booked or held.
	// The message names them. The rest of the change is made; the capacity is retried.
	ReasonCapacityInUse = "CapacityInUse"

	// ReasonHasBookings: False, Reconciling; stations cannot change while seats are booked or
	// held. The rest of the change is made; the stops are retried.
	ReasonHasBookings = "HasBookings"

	// ReasonServiceUnavailable: False, Reconciling; the service cannot be reached, is
	// overloaded, is too old, or rejects the operator's token, as the message explains. The operator
	// retries with exponential backoff, at least every few minutes.
	ReasonServiceUnavailable = "ServiceUnavailable"

	// ReasonSuspended: True; the resource is suspended, and its spec was never reconciled. It is the reason of
	// ConditionSuspended too.
	ReasonSuspended = "Suspended"

	// ReasonDeleting: False, Reconciling; the resource is being deleted and its deletionPolicy
	// has not been applied yet, for the reason in the message.
	ReasonDeleting = "Deleting"
)

// The reasons of events, in addition to those of the conditions.
const (
	// EventCreated: the train or schedule was created at the service.
	EventCreated = "Created"
	// EventUpdated: it was changed to match the spec.
	EventUpdated = "Updated"
	// EventAdopted: the service already had a train or schedule with the id of the spec.
	EventAdopted = "Adopted"
	// EventDriftCorrected: it had been changed or deleted at the service and was restored.
	EventDriftCorrected = "DriftCorrected"
	// EventRetained: the resource was deleted; what has bookings is off sale. The id is in the message.
	EventRetained = "Retained"
	// EventCancelled: the resource and the train or schedule were deleted, and the bookings cancelled.
	EventCancelled = "Cancelled"
	// EventTakenOver: the service owns the resource now, because the one that owned it is gone.
	EventTakenOver = "TakenOver"
	// EventDeclaredGone: the operator of a service runs that AnnotationGoneService declares gone.
	EventDeclaredGone = "DeclaredGone"
	// EventAbandoned: the resource was deleted without a request to the service.
	EventAbandoned = "Abandoned"
)
