package main

import (
	"context"
	"fmt"

	"trainbooking.dev/booking"
)

// demoTrains are real routes with the seats of one of their classes. They have no times,
// because a departed train sells nothing and the tour in the README must keep working. The
// train with 10 seats is small enough to sell out by hand.
var demoTrains = []struct {
	name     string
	capacity int
	stations []string
}{
	{"Duranto Express", 10, []string{"Delhi", "Jaipur", "Mumbai"}},
	{"Mumbai Rajdhani", 288, []string{"Delhi", "Kota", "Ratlam", "Vadodara", "Surat", "Mumbai"}},
	{"Mysuru Shatabdi", 546, []string{"Chennai", "Katpadi", "Bengaluru", "Mysuru"}},
	{"Howrah Rajdhani", 360, []string{"Delhi", "Kanpur", "Prayagraj", "Gaya", "Dhanbad", "Asansol", "Howrah"}},
	{"Coromandel Express", 720, []string{"Howrah", "Bhubaneswar", "Visakhapatnam", "Vijayawada", "Chennai"}},
	{"Deccan Queen", 504, []string{"Mumbai", "Lonavala", "Pune"}},
}

// addDemo adds the demo trains if the store has no train. Their ids are derived from their
// names, so that a retry does not add a train twice.
func addDemo(ctx context.Context, trains booking.Trains) error {
	found, err := trains.ListTrains(ctx, booking.TrainQuery{Departed: true, Page: booking.PageRequest{Limit: 1}})
	if err != nil {
		return fmt.Errorf("list trains: %w", err)
	}
	if len(found.Items) > 0 {
		return nil
	}
	for _, demo := range demoTrains {
		train := booking.Train{
			ID: booking.DerivedTrainID("demo:" + demo.name), Name: demo.name, Capacity: demo.capacity, OnSale: true,
		}
		for _, station := range demo.stations {
			train.Stops = append(train.Stops, booking.Stop{Station: station})
		}
		if _, _, err := trains.PutTrain(ctx, train); err != nil {
			return fmt.Errorf("add the demo train %s: %w", demo.name, err)
		}
	}
	return nil
}
