// Package client implements booking.Service over HTTP: it is the typed client of the API
// that package api serves. It uses the resource API (API.md part 2), and the booking
// endpoints where that lacks a method. It imports neither package api nor Echo, so that
// programs such as the operator link only net/http and the domain.
//
// # Methods and requests
//
//	CreateTrain    POST   /v1/trains                     train-admin
//	PutTrain       PUT    /v1/trains/{id}                train-admin
//	DeleteTrain    DELETE /v1/trains/{id}                train-admin
//	FindTrain      GET    /v1/trains/{id}                anyone
//	ListTrains     GET    /v1/trains                     anyone, a request per page
//	Search         GET    /train/get-trains/             anyone, then GET /v1/trains
//	SeatMap        GET    /v1/trains/{id}/seats          anyone
//	Hold           POST   /v1/holds                      user
//	Confirm        POST   /v1/holds/{hold_id}/confirm    user, by hold
//	               POST   /train/confirm-booking/        user, by seat
//	UserHolds      GET    /v1/holds                      user
//	Extend         POST /v1/holds/{hold_id}/extend       user
//	Release        DELETE /v1/holds/{hold_id}            user, by hold
//	               POST   /train/release-seat/           user, by seat
//	CancelBooking  DELETE /v1/bookings/{id}              user; CancelAnyBooking: admin
//	ExchangeBooking POST  /v1/bookings/{id}/exchange     user
//	FindBooking    GET    /v1/bookings/{id}              user; FindAnyBooking: admin
//	UserBookings   GET    /v1/bookings                   user, a request per page
//	               GET    /v1/users/{id}/bookings        admin: AnyUserBookings
//	TrainBookings  GET    /v1/trains/{id}/bookings       admin, a request per page
//
// Some methods may send a second request: Search, because get-trains returns the seats and
// /v1/trains the stops; Confirm or Release by hold after a 404, because /v1 returns the
// same error for a missing hold and a missing train; and so ExchangeBooking, for a missing
// hold and a missing booking.
//
// # The steps of a request
//
//	token ─▶ OnCall ─▶ connect ─▶ send ─▶ status ─▶ body ─▶ result
//	  │                   │        │        │        │
//	  └─ error of Token   │        └────────┴────────┴─ outcome unknown
//	                      └─ nothing was sent: outcome not_executed
//
// # Failure
//
// Every error is a *booking.Error. It has the code, fields, seats, times and outcome of the
// server's error. Other failures become:
//
//	no connection                           unavailable, not_executed
//	the timeout passed                      timeout, unknown
//	the connection closed, ctx cancelled    unavailable, unknown
//	a response that is not from the API     unavailable (504: timeout), unknown
//
// A response that is not from the API proves nothing: a 404 of a proxy does not mean that a
// train is missing. After outcome unknown, the same call with the same ids finds what the
// first one did; see each method. The client does not retry. net/http retries a request on
// a new connection if an idle one was closed, but only a request that is idempotent or has
// an Idempotency-Key.
package client
