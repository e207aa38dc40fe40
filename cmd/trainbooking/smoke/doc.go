// Package smoke asks a running service to do what it is there for, as passengers do, and
// judges what it answers: after an install whether it sells a seat at all, and, repeated
// while processes are killed and replaced, what passengers notice of that.
//
//	Run ─▶ a train ─▶ each passenger: register, log in ─▶ turns ─▶ audit ─▶ Report
//
// A turn is what one passenger does for one seat:
//
//	search ─▶ hold ─▶ confirm ─▶ find the booking ─▶ (now and then) cancel one
//
// A request that failed without a definite answer is sent again, as the API says it may
// be. Every failed attempt is counted all the same.
//
// # What it leaves behind
//
// The train, if it is its own, is deleted with its bookings, and bookings on a train of
// others are cancelled, also when the run is broken off. The users, named smoke-…, stay:
// the API deletes none.
package smoke
