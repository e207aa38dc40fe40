// Package api serves booking.Service over HTTP: the booking endpoints, the resource API
// under /v1, and the endpoints for operators. API.md describes what clients see;
// openapi.yaml in this directory is its machine-readable form.
//
// # The steps of a request
//
//	middleware    request id, security headers, panics, log line, metrics
//	  routing     404, 405                         routes.go, the table of all routes
//	    authorize 401, 403                         auth.go
//	    body      413, 415                         body.go
//	    decode    400                              decode.go, each request's decode method
//	    key       Idempotency-Key: 422, replay     idempotency.go
//	    handler   404, 409, 429, 503, 504          one file for each noun
//
// To find what an endpoint does, look up its row in routes.go, then the handler that the
// row names, then the method of booking.Service that the handler calls.
//
// Echo is used for routing only. Handlers take a context, a call and their own request
// type, and return a response or an error. Only server.go, routes.go and middleware.go
// import Echo.
//
// # Failure
//
// problemOf turns every error into an application/problem+json response. The middleware
// logs each error once, with its cause. An error that is not a *booking.Error is a bug or
// a failed store: clients get a 500 without details. A request that exceeds its time
// limit (Options.Timeout) gets a 504 with outcome unknown.
package api
