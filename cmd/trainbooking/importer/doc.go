// Package importer brings the trains of a timetable into a service, or prints them as manifests.
//
//	gtfs.Timetable ─▶ Plan: compares with the schedules of the service ─▶ Apply: changes what differs
//	               └▶ WriteManifests
//
// # Which schedule is which train
//
// The schedules of earlier imports are recognised by their ids (booking.ScheduleID.ImportedFrom). One of them
// is the schedule of a train of the timetable if passengers see the same: name, stations and times. Which days
// it runs on does not matter, nor what the feed calls it. Those that are left over are compared once more: a
// train that runs half an hour earlier or later, or has another name or other stops, keeps its schedule, and so
// its bookings. What is still left over is new, or is no longer in the timetable.
//
// # What an import does not change
//
// Whether a schedule is on sale, which is the decision of an admin; the days before today; and schedules that
// an import with another source made. Nothing ends without prune, and bookings end never: a departure with
// bookings stays as a train that is not on sale.
//
// # How it fails
//
// The first change that fails ends Apply. What was done stays, and the next import does the rest.
package importer
