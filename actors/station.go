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
	trains int
}

// name is a spelling of a station that trains use.
type name struct {
	text, folded string
	station      *station
	trains       int
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
		found[i] = booking.Station{Name: s.name(), Trains: s.trains}
	}
	return found
}

// byTrains orders stations by the number of their trains, and then by name.
func byTrains(a, b *station) int {
	if a.trains != b.trains {
		return b.trains - a.trains
	}
	return strings.Compare(a.name(), b.name())
}

// name returns the spelling that the most trains use.
func (s *station) name() string {
	return slices.MinFunc(s.names, func(a, b *name) int {
		return cmp.Or(b.trains-a.trains, strings.Compare(a.text, b.text))
	}).text
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
		}
		n = &name{text: text, folded: booking.Fold(text), station: s}
		s.names, c.names[text] = append(s.names, n), n
	}
	return n
}

// leave records that a train that has been removed no longer calls at its stations.
func (c *catalogue) leave(l *listing) {
	for _, stop := range l.train.Stops {
		n := c.names[stop.Station]
		if n.trains--; n.trains == 0 {
			delete(c.names, n.text)
			n.station.names = slices.DeleteFunc(n.station.names, func(other *name) bool { return other == n })
		}
	}
	for _, s := range l.route.stations {
		if s.trains--; s.trains > 0 {
			continue
		}
		delete(c.stations, s.key)
		for w := range s.words() {
			at, _ := slices.BinarySearchFunc(c.words, w, byText)
			c.words = slices.Delete(c.words, at, at+1)
		}
	}
}

// addWords adds the words of those stations of a new listing that are new.
func (c *catalogue) addWords(l *listing) {
	for _, s := range l.route.stations {
		if s.trains > 1 {
			continue
		}
		for w := range s.words() {
			at, _ := slices.BinarySearchFunc(c.words, w, byText)
			c.words = slices.Insert(c.words, at, w)
		}
	}
}

// sortWords makes the list of the words of all stations.
func (c *catalogue) sortWords() {
	for _, s := range c.stations {
		c.words = slices.AppendSeq(c.words, s.words())
	}
	slices.SortFunc(c.words, byText)
}
