// Package traffic generates the requests of passengers to a booking.Service: many clients
// search, hold, confirm, release and cancel at once, and repeat a failed request as API.md 3
// allows. Package history checks the responses.
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
