// Package smoke books seats of a running service and checks the responses: once after an
// installation, or repeatedly while processes are killed and replaced.
//
//	Run ─▶ a train ─▶ accounts: register, log in ─▶ traffic.Tour ─▶ history.Check ─▶ Report
//
// A failed request is repeated as API.md allows. Every failed attempt is counted.
//
// # What it leaves behind
//
// Its own train is deleted with its bookings, and bookings on another train are cancelled, also
// when the run is interrupted. The users, named smoke-…, remain: the API cannot delete them.
package smoke
