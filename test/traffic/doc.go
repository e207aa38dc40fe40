// Package traffic generates load on a booking.Service: many clients that search, hold, confirm,
// release and cancel concurrently, and repeat failed requests as API.md 3 allows. Package history
// checks the responses.
//
//	Start(ctx, Options, Script) ──▶ Traffic ─ Stop, Wait
//	                                   │
//	     Script: Mixed, BySeat, …      ▼
//	        of each Client ──▶ history.Recorder ──▶ History ──▶ Check
//
// The same traffic is for an actors.System in the process of the test, for one process, for
// several with faults between them, and for an installation (trainbooking smoke).
package traffic
