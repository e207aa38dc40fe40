package client

import "github.com/google/uuid"

// Call is a request that the client is about to send. Options.OnCall gets it before the
// client connects; the function that OnCall returns gets the Result after the response body
// was read. So the server executes the request between the two, which a checker of
// histories relies on (RELIABILITY.md 4.3). Both run in the goroutine of the caller.
type Call struct {
	Operation string    // the method of booking.Service
	User      uuid.UUID // zero if the request is not for a user
	Method    string    // of HTTP
	URL       string
	Key       string // the Idempotency-Key, or ""
}

// Result is the result of a Call.
type Result struct {
	Status int   // of HTTP; 0 without a response
	Err    error // nil, or the *booking.Error of the call
}
