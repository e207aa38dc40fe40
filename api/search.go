package api

import (
	"context"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"trainbooking.dev/booking"
)

// getTrainsRequest has a zero date for the next trains.
type getTrainsRequest struct {
	source, destination string
	date                time.Time
}

func (in *getTrainsRequest) decode(d *decoder) {
	in.source, in.destination = d.stations("source", "destination")
	in.date = d.date("date")
}

func (s *Server) getTrains(ctx context.Context, c *call, in getTrainsRequest) (response, error) {
	found, err := s.service.Search(ctx, in.source, in.destination, in.date)
	if err != nil {
		return response{}, err
	}
	r := okBuffered(func(b []byte) []byte { return appendTrains(b, found.Trains) })
	if c.query != "" && found.Current != nil {
		s.searches.keep(c.query, r.body, found.Current)
	}
	return r, nil
}

// appendTrains appends the response of get-trains. json.Marshal would validate the seat lists again, which is
// most of the work for 20 trains with 1,000 seats.
func appendTrains(b []byte, trains []booking.Availability) []byte {
	const withoutSeats = 512 // bytes of a train without its seat list
	size := 2
	for _, a := range trains {
		size += a.SeatList.MaxLen() + withoutSeats
	}
	b = append(slices.Grow(b, size), '[')
	for i, a := range trains {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(a.SeatList.AppendTo(appendAvailability(b, a)), '}')
	}
	return append(b, ']')
}

// appendAvailability appends a train up to its seat list.
func appendAvailability(b []byte, a booking.Availability) []byte {
	from, to := a.Train.Ends(a.Segment)
	b = append(append(append(b, `{"train_id":"`...), a.Train.ID.String()...), `","train_name":`...)
	b = appendText(b, a.Train.Name)
	b = strconv.AppendInt(append(b, `,"train_capacity":`...), int64(a.Train.Capacity), 10)
	b = strconv.AppendInt(append(b, `,"remaining_capacity":`...), int64(a.Train.Capacity-a.Booked), 10)
	b = strconv.AppendBool(append(b, `,"is_full":`...), a.Train.Capacity == a.Booked)
	b = appendText(append(b, `,"source":`...), from.Station)
	b = appendText(append(b, `,"destination":`...), to.Station)
	if departure := newDepartureOf(a.Train); departure != nil {
		b = append(append(append(b, `,"schedule_id":"`...), departure.Schedule.String()...), `","service_date":"`...)
		b = append(append(b, departure.Date.String()...), '"')
	}
	return append(b, `,"seat_available":`...)
}

// appendText appends text as a JSON string, like encode, which takes much longer.
func appendText(b []byte, text string) []byte {
	for _, c := range text {
		switch {
		case c < ' ', c == '"', c == '\\', c == utf8.RuneError, c == '\u2028', c == '\u2029': // may have to be escaped
			return append(b, encode(text)...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}
