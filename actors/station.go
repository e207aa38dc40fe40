package actors

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"trainbooking.dev/booking"
)

// station is a station where trains of the catalogue call, however they spell it.
type station struct {
	key    string         // booking.SearchKey of every spelling
	routes map[*route]int // that call there, and the position of their first stop there
	names  []*name
	uses   uses
}

// name is a spelling of a station that trains use.
type name struct {
	text, folded string
	station      *station
	uses         uses
}

// uses counts the trains and schedules that call somewhere.
type uses struct {
	all    int // also departures that have a row
	listed int // the others
}

func (u *uses) add(listed bool) {
	u.all++
	if listed {
		u.listed++
	}
}

// remove reports whether there are none left.
func (u *uses) remove(listed bool) bool {
	u.all--
	if listed {
		u.listed--
	}
	return u.all == 0
}

// word is the key of a station from the beginning of one of its words on.
type word struct {
	text    string
	station *station
}

// SuggestStations implements booking.Service.
func (s *System) SuggestStations(_ context.Context, prefix string) ([]booking.Station, error) {
	return s.catalogue.suggest(prefix), nil
}

// suggest returns the stations of which a word begins with prefix, those with the most trains first.
func (c *catalogue) suggest(prefix string) []booking.Station {
	key := booking.SearchKey(prefix)
	c.mu.RLock()
	defer c.mu.RUnlock()
	var best []*station
	begin, _ := slices.BinarySearchFunc(c.words, key, func(w word, key string) int { return strings.Compare(w.text, key) })
	for _, w := range c.words[begin:] {
		if !strings.HasPrefix(w.text, key) {
			break
		}
		if len(best) == booking.MaxSuggestions && byTrains(best[len(best)-1], w.station) <= 0 {
			continue
		}
		at, twice := slices.BinarySearchFunc(best, w.station, byTrains) // twice: by another of its words
		if !twice {
			best = slices.Insert(best[:min(len(best), booking.MaxSuggestions-1)], at, w.station)
		}
	}
	found := make([]booking.Station, len(best))
	for i, s := range best {
		found[i] = booking.Station{Name: s.name(), Trains: s.uses.listed}
	}
	return found
}

// byTrains orders stations by the number of their trains, and then by name.
func byTrains(a, b *station) int {
	if a.uses.listed != b.uses.listed {
		return b.uses.listed - a.uses.listed
	}
	return strings.Compare(a.name(), b.name())
}

// name returns the spelling that the most trains use.
func (s *station) name() string {
	return slices.MinFunc(s.names, func(a, b *name) int {
		return cmp.Or(b.uses.listed-a.uses.listed, b.uses.all-a.uses.all, strings.Compare(a.text, b.text))
	}).text
}

// station returns the station that people find by text, or nil. Most clients send a name from a list or a
// suggestion, and the station of each spelling in use is known.
func (c *catalogue) station(text string) *station {
	if n := c.names[text]; n != nil {
		return n.station
	}
	return c.stations[booking.SearchKey(text)]
}

// words yields the words of the station.
func (s *station) words() iter.Seq[word] {
	return func(yield func(word) bool) {
		for text, more := s.key, true; more && yield(word{text, s}); {
			_, text, more = strings.Cut(text, " ")
		}
	}
}

func byText(a, b word) int {
	return cmp.Or(strings.Compare(a.text, b.text), strings.Compare(a.station.key, b.station.key))
}

// spell returns the name with a spelling, and adds it if it is new. So the forms of a spelling are
// computed once, not for each train.
func (c *catalogue) spell(text string) *name {
	n := c.names[text]
	if n == nil {
		key := booking.SearchKey(text)
		s := c.stations[key]
		if s == nil {
			s = &station{key: key, routes: map[*route]int{}}
			c.stations[key] = s
			c.addWords(s)
		}
		n = &name{text: text, folded: booking.Fold(text), station: s}
		s.names, c.names[text] = append(s.names, n), n
	}
	return n
}

// unspell records that a train no longer uses the spellings of its stops.
func (c *catalogue) unspell(stops []booking.Stop, listed bool) {
	for _, stop := range stops {
		n := c.names[stop.Station]
		if n.uses.remove(listed) {
			delete(c.names, n.text)
			n.station.names = slices.DeleteFunc(n.station.names, func(other *name) bool { return other == n })
		}
	}
}

// leaveStations records that a train no longer calls at stations.
func (c *catalogue) leaveStations(stations []*station, listed bool) {
	for _, s := range stations {
		if !s.uses.remove(listed) {
			continue
		}
		delete(c.stations, s.key)
		for w := range s.words() {
			at, _ := slices.BinarySearchFunc(c.words, w, byText)
			c.words = slices.Delete(c.words, at, at+1)
		}
	}
}

// addWords adds the words of a new station, unless sortWords adds those of all stations later.
func (c *catalogue) addWords(s *station) {
	if c.loading {
		return
	}
	for w := range s.words() {
		at, _ := slices.BinarySearchFunc(c.words, w, byText)
		c.words = slices.Insert(c.words, at, w)
	}
}

// sortWords makes the list of the words of all stations.
func (c *catalogue) sortWords() {
	for _, s := range c.stations {
		c.words = slices.AppendSeq(c.words, s.words())
	}
	slices.SortFunc(c.words, byText)
}
