// Package operator makes the booking service sell the schedules and trains that TrainSchedule and
// Train resources specify, and writes what is sold into their status. It uses the service's HTTP API
// and the Kubernetes API and keeps no state of its own: after a restart it continues from what these
// two return.
//
//	TrainSchedule ─┐
//	Train ─────────┴▶ reconciler ── find, put, delete ──▶ booking service
//	  ▲                 │  ▲                                  │
//	  └──── status ─────┘  └──── out of date ── poller ◀─ list, every Resync
//
// Both kinds have the same steps. What differs between them is a kind: trains and schedules
// implement it.
//
// # States of a resource
//
//	        finalizer added      put                  deleted
//	(pending) ─────────▶ waiting ───▶ on sale ──────────────────▶ deleting ──▶ removed
//	    │                 │  ▲          │ ▲                         │  ▲
//	    └──▶ stalled ◀────┴──┘          └─┘ drift: put again        └──┘ service unavailable
//
// Before these steps, the operator claims the resource for its service (see identity). It changes nothing
// in a resource that another service owns, except for one condition.
//
// When the last time of the spec is past, the train or schedule has departed: the operator changes
// nothing at the service any more, which retires it a day later. A spec with a later time puts it
// again. A schedule that ends earlier than before is put first.
//
// The id at the service is derived from the UID of the resource, so every run computes the same
// id. The finalizer is stored before the service receives the id: what the operator creates there
// has a resource that refers to it. Every step can be repeated, because a put contains the
// whole train or schedule and a second deletion changes nothing.
//
// A departure of a schedule may differ from it: somebody changed it by itself, or its bookings keep
// what they were sold. That is no drift. The operator reports the dates and changes nothing.
//
// # Requests to the service
//
// A resource that is Ready at its generation needs no request of its own. The poller lists the
// service's trains and schedules page by page and enqueues only the resources whose status or spec
// differs, together with what it read. That is enough to update the status. Before it changes anything
// at the service, the reconciler reads the train or schedule again; before it creates one, it reads
// the resource from the API server, because the cache may be stale.
//
// # Failure
//
// Stalled and a terminal error mean that a person must act. ServiceUnavailable means that the
// service could not be reached or temporarily refused the request: the reconciler retries
// after a backoff with jitter, never before the service's Retry-After. The poller enqueues the
// resource earlier once a list succeeds. A service that is older than schedules is one of these
// failures. A change that booked or held seats block is retried every Resync.
//
// A lease prevents two operators from running at once. One that was paused for longer than
// the lease may still complete the request it had started. The other operator's poller
// corrects the result, with one exception: a put of a train that was cancelled in between
// creates it again.
package operator
