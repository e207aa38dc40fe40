package actors_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// BenchmarkBusyRoute reads 10,000 trains of one route with 20 stops, of which 8,000 have departed, from
// its middle. A change delays a train, and the search after it finds it at its new time.
func BenchmarkBusyRoute(b *testing.B) {
	const trains, departed = 10_000, 8_000
	now := time.Now()
	all := make([]booking.Train, trains)
	for i := range all {
		all[i] = booking.Train{ID: booking.NewTrainID(), OnSale: i%100 == 0, CreatedAt: now.Add(time.Duration(i) * time.Second)}
		leaves := now.Add(time.Duration(i*7919%trains-departed) * 10 * time.Second)
		for stop := range 20 {
			all[i].Stops = append(all[i].Stops, booking.Stop{
				Station: fmt.Sprint("Halt ", stop), DepartsAt: leaves.Add(time.Duration(stop-10) * time.Minute),
			})
		}
	}
	c := actors.NewCatalogue()
	c.Load(all, now)
	query := booking.TrainQuery{From: "Halt 10", To: "Halt 15", Page: booking.PageRequest{Limit: 100}}
	b.Run("search", func(b *testing.B) {
		for b.Loop() {
			require.NotEmpty(b, c.OnSale(query.From, query.To, time.Time{}, now))
		}
	})
	for name, query := range map[string]booking.TrainQuery{
		"list":     query,
		"date":     {From: query.From, To: query.To, Page: query.Page, Date: now},
		"list all": {Page: query.Page},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				require.NotEmpty(b, c.List(query, now).Items)
			}
		})
	}
	b.Run("change", func(b *testing.B) {
		change := persistence.ChangedTrain{Train: all[trains/2]}
		for b.Loop() {
			c.Apply(change, now)
			require.NotEmpty(b, c.OnSale(query.From, query.To, time.Time{}, now))
		}
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			c.Load(all, now)
		}
	})
}

// BenchmarkSuggestStations is one of 10,000 stations, where 100,000 trains call at 20 each. A change
// adds a train with two new stations, and removes it.
func BenchmarkSuggestStations(b *testing.B) {
	const stations, trains, stops = 10_000, 100_000, 20
	now := time.Now()
	all := make([]booking.Train, trains)
	for i := range all {
		all[i] = booking.Train{ID: booking.NewTrainID(), CreatedAt: now.Add(time.Duration(i))}
		for stop := range stops {
			n := (i + stop*7) % stations
			all[i].Stops = append(all[i].Stops, booking.Stop{Station: fmt.Sprintf("%c%c Bahnhof %d", 'A'+n%26, 'a'+n/26%26, n)})
		}
	}
	c := actors.NewCatalogue()
	c.Load(all, now)
	for _, prefix := range []string{"b", "bahnhof", "be", "Bé Bahnhof 10"} {
		b.Run(prefix, func(b *testing.B) {
			for b.Loop() {
				require.NotEmpty(b, c.Suggest(prefix))
			}
		})
	}
	b.Run("change", func(b *testing.B) {
		change := persistence.ChangedTrain{Train: booking.Train{
			ID: booking.NewTrainID(), CreatedAt: now, Stops: []booking.Stop{{Station: "Bergen Op Zoom"}, {Station: "Aachen Süd"}},
		}}
		for b.Loop() {
			change.Deleted = false
			c.Apply(change, now)
			change.Deleted = true
			c.Apply(change, now)
		}
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			c.Load(all, now)
		}
	})
}
