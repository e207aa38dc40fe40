package booking

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The bounds of a page of a list.
const (
	DefaultPageLimit = 100
	MaxPageLimit     = 1000
)

// cursorBytes is a time in microseconds and an id.
const cursorBytes = 8 + 16

// lastTime is the last time that a cursor may have: RFC 3339 has four digits for the year.
var lastTime = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)

// ErrMalformedCursor is the error of ParseCursor.
var ErrMalformedCursor = errors.New("malformed cursor")

// Cursor is a position in a list that is ordered by time and id: that of the last item of
// the previous page. The zero Cursor is the start, in either direction.
type Cursor struct {
	At time.Time // microseconds
	ID uuid.UUID
}

// IsZero reports whether c is the start of the list.
func (c Cursor) IsZero() bool { return c == Cursor{} }

// Compare returns -1 if c is before d in the list, 0 if they are equal, and 1 otherwise.
func (c Cursor) Compare(d Cursor) int {
	if r := c.At.Compare(d.At); r != 0 {
		return r
	}
	return bytes.Compare(c.ID[:], d.ID[:])
}

// List names a list and its order in the texts of its cursors, so that a cursor of another one is
// refused instead of naming a wrong position.
type List byte

// The lists.
const (
	ListTrains         List = 't'
	ListDepartures     List = 'd'
	ListBookingsNewest List = 'n'
	ListBookingsOldest List = 'o'
	ListTrainBookings  List = 'b'
	ListUsers          List = 'u'
	ListSchedules      List = 's'
	ListServiceDays    List = 'v' // the departures of a schedule
)

// cancelled returns the list of cancelled bookings beside one of confirmed bookings.
func (l List) cancelled() List { return l - 'a' + 'A' }

// In returns the opaque text of a cursor of a list, "" for the start.
func (c Cursor) In(list List) string {
	if c.IsZero() {
		return ""
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(c.At.UnixMicro()))
	return string(list) + base64.RawURLEncoding.EncodeToString(append(b, c.ID[:]...))
}

// ParseCursor is the inverse of In. Error: ErrMalformedCursor, also for a time that is not in
// the years 1 to 9999, since not every store has it.
func ParseCursor(s string, list List) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	s, ours := strings.CutPrefix(s, string(list))
	if !ours || len(s) != base64.RawURLEncoding.EncodedLen(cursorBytes) { // DecodeString ignores line ends
		return Cursor{}, ErrMalformedCursor
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != cursorBytes {
		return Cursor{}, ErrMalformedCursor
	}
	at := time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC() //nolint:gosec // as written
	if at.Before(time.Time{}) || at.After(lastTime) {
		return Cursor{}, ErrMalformedCursor
	}
	return Cursor{At: at, ID: uuid.UUID(b[8:])}, nil
}

// PageRequest asks for at most Limit items (0: all) that come after After in the order of the
// list. Lists are oldest first, but for ListDepartures; only UserBookings can also be NewestFirst. The lists
// of bookings are of the confirmed ones, or of those that are Cancelled.
//
// Each page is read anew. An item that was in the list when the first page was read, and stays in
// it at its position, is on exactly one page. An item that is added while the pages are read may be on
// none, even if its time is between those of others: it got its time before it was stored.
type PageRequest struct {
	Limit       int
	After       Cursor
	NewestFirst bool
	Cancelled   bool
}

// UserBookings returns the list of which a page is requested of UserBookings.
func (p PageRequest) UserBookings() List {
	if p.NewestFirst {
		return p.inState(ListBookingsNewest)
	}
	return p.inState(ListBookingsOldest)
}

// TrainBookings returns the list of which a page is requested of TrainBookings.
func (p PageRequest) TrainBookings() List { return p.inState(ListTrainBookings) }

func (p PageRequest) inState(list List) List {
	if p.Cancelled {
		return list.cancelled()
	}
	return list
}

// Start returns the position that every item of the page comes after, in the order of the list:
// After, or, for the first page, a position before all items.
func (p PageRequest) Start() Cursor {
	if p.NewestFirst && p.After.IsZero() {
		return Cursor{At: lastTime, ID: uuid.Max}
	}
	return p.After
}

// Page is a part of a list. Next is the zero Cursor on the last page.
type Page[T any] struct {
	Items []T
	Next  Cursor
	// Incomplete reports that items are missing, because they could not be read.
	Incomplete bool
}

// PageOf returns the first limit items as a page (0: all items). The page has a Next if there
// are more items than limit, so a store reads limit+1. cursor returns the position of an item.
func PageOf[T any](items []T, limit int, cursor func(T) Cursor) Page[T] {
	if limit <= 0 || len(items) <= limit {
		return Page[T]{Items: items}
	}
	return Page[T]{Items: items[:limit], Next: cursor(items[limit-1])}
}
