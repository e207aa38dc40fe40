// Package operator makes the booking service sell what Train resources say, and tells
// each resource what was sold. It talks to the service's HTTP API and to the API server,
// and keeps nothing: whatever it was doing when it ended, the next run finds out.
//
//	Train ──▶ reconciler ── find, put, delete ──▶ booking service
//	  ▲           │  ▲                                  │
//	  └─ status ──┘  └─── those that differ ── poller ◀─┘ list, every Resync
//
// # A Train's way
//
//	            finalizer         put                  deleted
//	(pending) ───────────▶ held ───────▶ on sale ────────────────▶ deleting ──▶ gone
//	    │                    │  ▲           │ ▲                       │  ▲
//	    └──▶ stalled ◀───────┴──┘           └─┘ drift: put again      └──┘ waits for the service
//
// The id of a train follows from the UID of its resource, so that it is the same in every
// run; the finalizer is stored before the service hears of the id. Thus a train at the
// service always has a resource that remembers it, and every step can be repeated: a
// put says the whole train, and deleting twice is deleting once.
//
// # Who asks when
//
// A settled Train (Ready at its generation) costs no call of its own. The poller lists
// the service's trains page by page and hands on only those that are not what their
// status says, with what it saw of them. That is enough to write figures; before anything
// is changed at the service, the reconciler looks again; and before anything is made there,
// it asks the API server whether the Train is still wanted, as the cache may lag behind.
//
// # Failure
//
// What only a person can mend ends in Stalled and a terminal error. A service that cannot
// answer ends in ServiceUnavailable, and another attempt after a backoff with jitter, not
// before the Retry-After of the service; the poller brings it forward as soon as the
// service answers a list. Seats in the way are waited for likewise.
//
// Two operators at once are prevented by a lease. One that was paused for longer than the
// lease may finish the one request that it had begun; the poller of the other mends that,
// except for a put of a train that was cancelled meanwhile, which brings it back.
package operator
