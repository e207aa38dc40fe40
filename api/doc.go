// Package api serves booking.Service over HTTP: the booking endpoints, the resource
// API under /v1, and what operators look at. What clients see is API.md; its
// machine-readable form is openapi.yaml beside this file.
//
// # The way of a request
//
//	observe      request id, security headers, panics, log line, metrics
//	  routing    404, 405                         routes.go, the table of everything
//	    admit    401, 403                         auth.go
//	    body     413, 415                         body.go
//	    form     400                              form.go, each request's read method
//	    once     Idempotency-Key: 422, replay     idempotency.go
//	    handler  404, 409, 429, 503, 504          one file for each noun
//
// So the way from an endpoint to what it does is: its row in routes.go, the handler
// named there, the method of booking.Service that the handler calls.
//
// Echo routes and nothing else. Handlers take a context, a call and their own request
// type, and return an answer or an error; server.go, routes.go and observe.go alone
// know Echo.
//
// # Failure
//
// Every error is answered by problemOf, as application/problem+json, and logged once,
// by observe, with its cause. An error that is no *booking.Error is a bug or a store
// that failed: 500, and clients see no more than that. When the time of a request
// (Options.Timeout) is over, the answer is 504 with outcome unknown.
package api
