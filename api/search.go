package api

import (
	"context"
	"crypto/sha256"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/maypok86/otter/v2"

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
		s.searches.Set(sha256.Sum256([]byte(c.query)), &search{slices.Clone(r.body), found.Current})
	}
	return r, nil
}

// maxSearches bounds the searches that are kept, in bytes.
const maxSearches = 16 << 20

// search is the response to a search, for as long as it is current.
type search struct {
	body    []byte
	current func() bool
}

// searches are kept by the hash of their query string. Most searches are repetitions: of a popular route, much
// more is read than sold. The types have the shape of those of the tokens in package auth, so that the program
// contains the cache once.
type searches = otter.Cache[[sha256.Size]byte, *search]

func newSearches() *searches {
	return otter.Must(&otter.Options[[sha256.Size]byte, *search]{
		MaximumWeight: maxSearches,
		Weigher: func(_ [sha256.Size]byte, kept *search) uint32 {
			const rest = 512                     // with the counters of some trains
			return uint32(len(kept.body) + rest) //nolint:gosec // a response has less than 4 GB
		},
	})
}

// keptSearch returns the response to an earlier search with the same query string, if it is still what a new
// search would find.
func (s *Server) keptSearch(query string) (response, bool) {
	kept, found := s.searches.GetIfPresent(sha256.Sum256([]byte(query)))
	if !found || !kept.current() {
		return response{}, false
	}
	return response{status: http.StatusOK, body: kept.body}, true
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
