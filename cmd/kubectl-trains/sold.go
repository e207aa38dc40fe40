package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"

	"trainbooking.dev/booking"
)

// sold prints who sits where on a train, a line for each booked seat.
func (s *settings) sold(ctx context.Context, name string, std stdio) error {
	service, err := s.client()
	if err != nil {
		return err
	}
	if s.TokenFile == "" {
		return errors.New("set --token-file to a file with an access token of an admin: bookings are not public")
	}
	id, err := s.trainID(ctx, name, std)
	if err != nil {
		return err
	}
	type place struct {
		seat     int
		from, to string
		booking.BookedTrain
	}
	var places []place
	page := booking.PageRequest{Limit: booking.MaxPageLimit}
	for {
		got, err := service.TrainBookings(ctx, id, page)
		if err != nil {
			return err
		}
		for _, b := range got.Items {
			from, to := b.Legs.Bounds()
			for _, seat := range b.Seats {
				places = append(places, place{seat, b.On.Stops[from].Station, b.On.Stops[to].Station, b})
			}
		}
		if page.After = got.Next; got.Next.IsZero() {
			break
		}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(a.seat-b.seat, cmp.Compare(a.Legs, b.Legs)) })
	table := tabwriter.NewWriter(std.out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "SEAT\tFROM\tTO\tUSER\tBOOKING")
	for _, p := range places {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", p.seat, p.from, p.to, p.User, p.ID)
	}
	return table.Flush()
}

// trainID returns the id at the service of a Train, or of the departure on --date of a TrainSchedule.
func (s *settings) trainID(ctx context.Context, name string, std stdio) (booking.TrainID, error) {
	kind := kindTrains
	if s.Date != "" {
		kind = kindSchedules
	}
	found, err := s.kubectl(ctx, nil, std.err, "get", kind, name)
	if err != nil {
		return booking.TrainID{}, err
	}
	if s.Date == "" {
		return booking.ParseTrainID(found.trains[0].Status.TrainID)
	}
	date, err := booking.ParseDate(s.Date)
	if err != nil {
		return booking.TrainID{}, fmt.Errorf("--date %s: %w", s.Date, err)
	}
	schedule, err := booking.ParseScheduleID(found.schedules[0].Status.ScheduleID)
	return schedule.Departure(date), err
}
