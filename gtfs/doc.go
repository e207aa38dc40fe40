// Package gtfs reads a timetable in GTFS Schedule (https://gtfs.org/documentation/schedule/reference) and
// converts its trips to schedules that can be sold.
//
//	Feed (ZIP or folder) ──Read──▶ Timetable ──Trains──▶ Train: booking.Schedule, one after another
//	                                   └──▶ Report: what was skipped or left out, and why
//
// A trip becomes a train if a schedule can say what the trip says. One that cannot is skipped and counted,
// never bent: nothing is sold that the feed forbids. Trips that differ only in their service days become
// one train. Two that are equal and run on the same day are two trains.
//
// # Memory
//
// stop_times.txt, which is nearly all of a feed, is read row by row. The rows of a trip are kept in a few
// bytes each, and only once for all trips that call at the same stops with the same times in between. A
// schedule is made when Trains comes to it. See limits.go for the bounds.
//
// # How it fails
//
// A feed that is no timetable (files that are missing, columns that are missing, CSV that is malformed, more
// of anything than the limits) is an error, and there is no Timetable. What is wrong with single rows is
// counted in the Report, up to maxFaults rows of a file: then it is an error too.
package gtfs
