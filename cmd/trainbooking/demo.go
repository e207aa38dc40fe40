package main

import (
	"context"
	"fmt"
	"time"

	"trainbooking.dev/booking"
)

// demoZone is the time zone of the demo timetable, and demoYears how long it is valid.
const (
	demoZone  = "Asia/Kolkata"
	demoYears = 10
)

// demoSchedule is a train of the demo timetable. It is modelled on a real one, with the seats of one of its
// classes.
type demoSchedule struct {
	name     string
	capacity int
	pauses   booking.Weekdays // on which it does not run
	stops    []demoStop
}

// demoStop is a stop with its times, "" at the ends of the route.
type demoStop struct{ station, arrives, departs string }

// The tour in the README books the first train: it has few enough seats to sell out by hand, and it leaves
// Jaipur so late that it has not left there while it is still the day before anywhere.
var demoSchedules = []demoSchedule{
	{"Duranto Express", 10, 0, []demoStop{
		{"Delhi", "", "18:15"}, {"Jaipur", "23:05", "23:15"}, {"Mumbai", "34:30", ""},
	}},
	{"Mumbai Rajdhani", 288, 0, []demoStop{
		{"Delhi", "", "16:55"},
		{"Kota", "21:30", "21:40"},
		{"Ratlam", "24:45", "24:48"},
		{"Vadodara", "27:50", "28:00"},
		{"Surat", "29:43", "29:48"},
		{"Mumbai", "32:35", ""},
	}},
	{"Mysuru Shatabdi", 546, booking.WeekdaysOf(time.Wednesday), []demoStop{
		{"Chennai", "", "06:00"}, {"Katpadi", "07:28", "07:30"}, {"Bengaluru", "10:25", "10:30"}, {"Mysuru", "12:20", ""},
	}},
	{"Howrah Rajdhani", 360, 0, []demoStop{
		{"Delhi", "", "16:50"},
		{"Kanpur", "21:32", "21:37"},
		{"Prayagraj", "23:43", "23:45"},
		{"Gaya", "27:19", "27:22"},
		{"Dhanbad", "30:02", "30:07"},
		{"Asansol", "30:56", "30:58"},
		{"Howrah", "33:55", ""},
	}},
	{"Coromandel Express", 720, 0, []demoStop{
		{"Howrah", "", "15:20"},
		{"Bhubaneswar", "22:00", "22:05"},
		{"Visakhapatnam", "28:30", "28:50"},
		{"Vijayawada", "34:40", "34:50"},
		{"Chennai", "40:50", ""},
	}},
	{"Deccan Queen", 504, 0, []demoStop{
		{"Mumbai", "", "17:10"}, {"Lonavala", "19:31", "19:33"}, {"Pune", "20:25", ""},
	}},
}

// addDemo adds the demo timetable if the store has no train or schedule. The ids are derived from the
// names, so that a retry does not add a schedule twice.
func addDemo(ctx context.Context, service booking.Service) error {
	one := booking.PageRequest{Limit: 1}
	trains, err := service.ListTrains(ctx, booking.TrainQuery{Departed: true, Page: one})
	if err != nil {
		return fmt.Errorf("list trains: %w", err)
	}
	schedules, err := service.ListSchedules(ctx, one)
	if err != nil {
		return fmt.Errorf("list schedules: %w", err)
	}
	if len(trains.Items) > 0 || len(schedules.Items) > 0 {
		return nil
	}
	for _, demo := range demoSchedules {
		schedule, err := demo.schedule(time.Now())
		if err == nil {
			_, _, err = service.PutSchedule(ctx, schedule)
		}
		if err != nil {
			return fmt.Errorf("add the demo train %s: %w", demo.name, err)
		}
	}
	return nil
}

// schedule returns the schedule from yesterday on: a train that left then may still be under way.
func (d *demoSchedule) schedule(now time.Time) (booking.Schedule, error) {
	yesterday := booking.DateOf(now.UTC()) - 1
	schedule := booking.Schedule{
		ID: booking.DerivedScheduleID("demo:" + d.name), Name: d.name, Capacity: d.capacity, OnSale: true,
		TimeZone: demoZone, SoldDaysAhead: booking.DefaultSoldDaysAhead,
		Calendar: booking.Calendar{
			Days: booking.EveryDay &^ d.pauses, From: yesterday, Until: booking.DateOf(now.UTC().AddDate(demoYears, 0, 0)),
		},
	}
	for _, s := range d.stops {
		stop := booking.StopTime{Station: s.station}
		for _, time := range []struct {
			text string
			to   *booking.LocalTime
		}{{s.arrives, &stop.Arrives}, {s.departs, &stop.Departs}} {
			if time.text == "" {
				continue
			}
			if err := time.to.UnmarshalText([]byte(time.text)); err != nil {
				return booking.Schedule{}, fmt.Errorf("%s at %s: %w", time.text, s.station, err)
			}
		}
		schedule.Stops = append(schedule.Stops, stop)
	}
	return schedule, nil
}
