//go:build scale

package scale_test

import (
	"encoding/binary"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

const (
	stations = 2_000
	// Each route has a direction and a distance between its stops.
	distances = 5
	days      = 60 // for which trains are on sale
	users     = 200_000
	// departedTrains are on one route, with some that have not departed.
	departedTrains           = 3_000
	departedFrom, departedTo = "Howrah", "Puri"
)

// railway is what the stores contain. Every run has the same, but for the times.
type railway struct {
	trains   []booking.Train
	bookings int
	now      time.Time
}

func newRailway(trains, bookings int) *railway {
	r := &railway{bookings: bookings, now: time.Now().UTC().Truncate(time.Minute)}
	for i := range trains {
		r.trains = append(r.trains, r.train(i, r.now.Add(time.Hour+spread(i, days*24*time.Hour)), stationsOf(i)))
	}
	for i := range min(departedTrains, trains/10) {
		r.trains = append(r.trains, r.train(trains+i, r.now.Add(-48*time.Hour-spread(i, days*24*time.Hour)), onDepartedRoute))
	}
	for i := range 5 {
		r.trains = append(r.trains, r.train(trains+departedTrains+i, r.now.Add(24*time.Hour+spread(i, time.Hour)), onDepartedRoute))
	}
	return r
}

// spread returns a time up to limit that differs for each i.
func spread(i int, limit time.Duration) time.Duration {
	return time.Duration(i*7919%int(limit/time.Minute)) * time.Minute
}

// stationsOf returns the names of the stations of a train, by stop.
func stationsOf(i int) func(stop int) string {
	start, distance := i%stations, 1+i/stations%distances
	return func(stop int) string { return fmt.Sprintf("Station %04d", (start+stop*distance)%stations) }
}

func onDepartedRoute(stop int) string {
	switch stop {
	case 0:
		return departedFrom
	case 7:
		return departedTo
	}
	return fmt.Sprintf("Halt %d", stop)
}

func (r *railway) train(i int, departs time.Time, station func(stop int) string) booking.Train {
	train := booking.Train{
		ID: idOf(i), Name: fmt.Sprintf("Express %05d", i), Capacity: 500 + i*37%501, OnSale: true,
		CreatedAt: r.now.Add(-time.Hour).Add(time.Duration(i) * time.Millisecond), UpdatedAt: r.now.Add(-time.Hour),
	}
	for stop := range 8 + i%5 {
		at := departs.Add(time.Duration(stop) * 50 * time.Minute)
		train.Stops = append(train.Stops, booking.Stop{Station: station(stop), ArrivesAt: at, DepartsAt: at.Add(5 * time.Minute)})
	}
	train.Stops[0].ArrivesAt, train.Stops[len(train.Stops)-1].DepartsAt = time.Time{}, time.Time{}
	return train
}

func idOf(i int) booking.TrainID { return booking.DerivedTrainID(fmt.Sprint("scale ", i)) }

// sold returns the bookings: about as many on each train, of 1 to 3 seats each.
func (r *railway) sold() iter.Seq[booking.Booking] {
	return func(yield func(booking.Booking) bool) {
		for n := range r.bookings {
			train := &r.trains[n%len(r.trains)]
			round := n / len(r.trains)
			legs := len(train.Stops) - 1
			from := round % (legs - 2)
			b := booking.Booking{
				Train: train.ID, User: userOf(n), Legs: booking.Segment(from, from+2),
				BookedAt: r.now.Add(-time.Hour + time.Duration(n)*time.Microsecond),
			}
			b.ID = uuid.NewSHA1(uuid.UUID(train.ID), []byte(fmt.Sprint(n)))
			for i := range 1 + n%3 {
				if seat := 1 + round*3 + i; seat <= train.Capacity {
					b.Seats = append(b.Seats, seat)
				}
			}
			if len(b.Seats) > 0 && !yield(b) {
				return
			}
		}
	}
}

func userOf(n int) (user uuid.UUID) {
	user[0] = 0x5c
	binary.BigEndian.PutUint64(user[8:], uint64(n*31%users))
	return user
}
