// Package bookingtest says what booking means, twice.
//
// Model is one train's seats in the slowest and most obvious way: a list of every
// hold that ever was, asked from the beginning for each question. booking.SeatMap is
// compared with it step by step. It is written from the rules (API.md, "Rules of a
// hold"; RELIABILITY.md I1 to I4 and I8 to I10), not from the seat map, and shares no
// mask, index or heap with it: where they differ, one of them is wrong.
//
// Exercise is the contract of booking.Service. Every implementation passes it: the
// actors of one process, the client of the HTTP API, the cluster.
package bookingtest
