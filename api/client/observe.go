package client

import "github.com/google/uuid"

// Call is a request that is about to be sent. Options.Observe gets it before anything is
// dialled; the function that it returns gets the Result after the answer's body was read.
// So a record of the two encloses the moment when the request was carried out, which is
// what a checker of histories needs (RELIABILITY.md 4.3). Both run in the caller's
// goroutine and hold the call up.
type Call struct {
	Operation string    // the method of booking.Service
	User      uuid.UUID // zero where no user is meant
	Method    string    // HTTP
	URL       string
	Key       string // the Idempotency-Key, "" where there is none
}

// Result is how a request ended.
type Result struct {
	Status int   // HTTP; 0 when no answer came
	Err    error // nil, or the *booking.Error that the call fails with
}
