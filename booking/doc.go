// Package booking is the domain of the service: trains, their stops and legs,
// schedules, the seat map, holds, bookings and the errors that clients see. It is pure: no
// goroutines, no clock, no I/O, but that package time reads the rules of a time zone
// when it is first named. Every function that depends on the time takes it.
//
// # Nouns
//
// A train calls at 2 to 64 stops. The run between two neighbouring stops is a
// leg. A segment is one or more consecutive legs of a route: the half-open
// interval [from, to) of stop positions, kept as a bit set (Legs). Each seat of
// a train is sold separately on each of its legs.
//
// A schedule is a train that runs on many days. Each service day of its calendar has
// a departure: a train that is computed from the schedule and the date, both of
// which its id contains. A departure gets a definition of its own when something is
// sold on it or it is changed. From then on it follows changes of the schedule as
// far as the rules for trains allow; where it does not, it has diverged. See Follow.
//
// A hold locks seats for one user on one segment until a deadline. A booking is
// a confirmed hold.
//
//	            Hold                 Confirm
//	available ────────▶ held ───────────────────▶ booked
//	    ▲                │ Release, deadline         │ Cancel
//	    └────────────────┴───────────────────────────┘
//
// SeatMap is the state machine of one train. Between a decision and the result
// of its write a hold is in one of three transitional phases (pending,
// confirming, releasing); see Phase.
//
// # Failure
//
// Everything a client can cause is an *Error with a stable Code. Any other
// error is internal.
package booking
