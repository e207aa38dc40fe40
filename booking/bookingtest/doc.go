// Package bookingtest defines what booking means, in two forms.
//
// Model is one train's seats in the simplest and slowest way: a list of every hold, which
// each call searches from the beginning. Tests compare booking.SeatMap with it step by step.
// It follows the rules (API.md, "Rules of a hold"; RELIABILITY.md I1 to I4 and I8 to I10)
// and shares no bit set, index or heap with the seat map: where they differ, one of them is
// wrong.
//
// Exercise is the conformance suite of booking.Service. Every implementation passes it: the
// actors of one process, the cluster, the client of the HTTP API.
package bookingtest
