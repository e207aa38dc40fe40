// Package client is booking.Service over HTTP: the typed client of the API that package
// api serves. It knows the resource API (API.md part 2) and, where that has none, the
// booking endpoints; it imports neither package api nor Echo, so whoever links it, as the
// operator does, gets net/http and the domain and nothing else.
//
// # One method, one request
//
//	CreateTrain    POST   /v1/trains                     train-admin
//	PutTrain       PUT    /v1/trains/{id}                train-admin
//	DeleteTrain    DELETE /v1/trains/{id}                train-admin
//	FindTrain      GET    /v1/trains/{id}                anyone
//	ListTrains     GET    /v1/trains                     anyone, a request a page
//	Search         GET    /train/get-trains/             anyone, then GET /v1/trains
//	SeatMap        GET    /v1/trains/{id}/seats          anyone
//	Hold           POST   /v1/holds                      user
//	Confirm        POST   /v1/holds/{hold_id}/confirm    user, by hold
//	               POST   /train/confirm-booking/        user, by seat
//	Release        DELETE /v1/holds/{hold_id}            user, by hold
//	               POST   /train/release-seat/           user, by seat
//	CancelBooking  DELETE /v1/bookings/{id}              user
//	UserBookings   GET    /v1/bookings                   user, a request a page
//	TrainBookings  GET    /v1/trains/{id}/bookings       admin, a request a page
//
// Two methods may ask a second time, because what they return is in two places over HTTP:
// Search, as get-trains lists the seats and /v1/trains the stops; and a Confirm or Release
// by hold that is 404, as /v1 has one answer for a hold that is gone and a train that is.
//
// # The way of a request
//
//	token ─▶ Observe ─▶ dial ─▶ sent ─▶ status ─▶ body ─▶ observer told ─▶ result
//	  │                  │       │         │        │
//	  └─ its own error   │       └─────────┴────────┴─ it may have been carried out: unknown
//	                     └─ nothing was sent: not_executed
//
// # Failure
//
// Every error is a *booking.Error with the code, fields, seats, times and outcome that the
// server's had. What is no answer of this API becomes one too:
//
//	no connection was made             unavailable, not_executed
//	the time was over                  timeout, unknown
//	the connection ended, ctx ended    unavailable, unknown
//	an answer that is not the API's    unavailable (504: timeout), unknown
//
// The last one is never taken at its word: a 404 that a proxy made says nothing about a
// train. After unknown the same call finds what the first did, if it has the same ids; see
// each method. The client itself repeats nothing. net/http repeats a request on a new
// connection when the old one turns out to be dead, but only one that changes nothing or
// has an Idempotency-Key.
package client
