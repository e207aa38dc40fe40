// Package smoke uses a running service as passengers do and checks what they get: after an
// installation whether it sells a seat at all, and, repeated while processes are killed and
// replaced, what passengers notice.
//
//	Run ─▶ a train ─▶ accounts: register, log in ─▶ traffic.Tour ─▶ history.Check ─▶ Report
//
// A request that failed without a definite response is sent again, as API.md allows. Every
// failed attempt is counted.
//
// # What it leaves behind
//
// A train of its own is deleted with its bookings, and bookings on another train are
// cancelled, also when the run is interrupted. The users, named smoke-…, stay: the API has
// no way to delete them.
package smoke
