// Package scale measures the service with the trains and bookings of a railway, and with the schedules of
// one, in both modes, next to what it is to reach:
//
//	make scale
//	make scale TRAINS=2000 BOOKINGS=20000 SCHEDULES=200
//
// It writes the rows directly into the stores, starts one process of the built program, and prints a
// table. Times fail it only where something never works. What is checked: a reconcile without a
// change reads no rows, searches and lists succeed, and no sale fails while anonymous clients read.
package scale
