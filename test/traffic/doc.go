// Package traffic is what passengers do to a booking.Service: many clients that search, hold,
// confirm, release and cancel at once, and send a failed request again as API.md 3 allows.
// Package history checks what they got.
//
//	Start(ctx, Options, Script) ──▶ Traffic ─ Stop, Wait
//	                                   │
//	     Script: Mixed, Race, Tour     ▼
//	        of each Client ──▶ history.Recorder ──▶ History ──▶ Check
//
// The same traffic runs against a System in the test's process, against one process and
// against several with faults between them, and against an installation
// (trainbooking smoke).
package traffic
