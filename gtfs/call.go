package gtfs

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// call is a row of stop_times.txt: a trip calls at a stop.
type call struct {
	sequence         uint32
	stop             int32
	arrives, departs int32 // seconds of the service day, or noTime
	forbidden        permissions
}

// noTime is a time that is not given.
const noTime = math.MinInt32

// permissions are what passengers may not do at a stop.
type permissions uint8

const (
	boarding permissions = 1 << iota
	leaving
)

// What a byte of flags says of a call, beside its permissions.
const (
	hasArrival byte = 1 << (iota + 2)
	hasDeparture
)

// calls are the rows of one trip in a few bytes each. As long as they follow each other in the file, they
// are a pattern, relative to the first time, which is in memory once for all trips that have it. Rows of
// trips that occur in several places are scattered: they are put in order at the end.
type calls struct {
	pattern   string
	start     int32
	scattered []byte
	problem   Reason // why the trip cannot be sold; "": none is known
}

// encode appends rows to b. Each is relative to the one before, and the first to the previous row.
func encode(b []byte, rows []call, previous call) []byte {
	at := previous.departs
	for _, c := range rows {
		flags := byte(c.forbidden)
		if c.arrives != noTime {
			flags |= hasArrival
		}
		if c.departs != noTime {
			flags |= hasDeparture
		}
		b = append(b, flags)
		b = binary.AppendUvarint(b, uint64(c.sequence-previous.sequence))
		b = binary.AppendUvarint(b, uint64(uint32(c.stop))) //nolint:gosec // an index
		for _, time := range []int32{c.arrives, c.departs} {
			if time != noTime {
				b = binary.AppendVarint(b, int64(time)-int64(at))
				at = time
			}
		}
		previous = c
	}
	return b
}

// decode reads the first row of what encode has written, and returns the rest. previous is as for encode;
// its departure is the last time that is given.
func decode[T string | []byte](b T, previous call) (c call, last call, rest T) {
	flags := b[0]
	at, b := previous.departs, b[1:]
	sequence, b := uvarint(b)
	stop, b := uvarint(b)
	c = call{
		sequence: previous.sequence + uint32(sequence), //nolint:gosec // as encoded
		stop:     int32(stop),                          //nolint:gosec // as encoded
		arrives:  noTime, departs: noTime, forbidden: permissions(flags) & (boarding | leaving),
	}
	if flags&hasArrival != 0 {
		c.arrives, b = varint(b, at)
		at = c.arrives
	}
	if flags&hasDeparture != 0 {
		c.departs, b = varint(b, at)
		at = c.departs
	}
	return c, call{sequence: c.sequence, departs: at}, b
}

func uvarint[T string | []byte](b T) (n uint64, rest T) {
	for i := 0; ; i++ {
		n |= uint64(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return n, b[i+1:]
		}
	}
}

// varint returns a time that is relative to another.
func varint[T string | []byte](b T, to int32) (at int32, rest T) {
	n, rest := uvarint(b)
	signed := int64(n>>1) ^ -int64(n&1)
	return int32(int64(to) + signed), rest //nolint:gosec // as encoded
}

// keep adds rows to the calls of a trip. scratch is memory that it may use, and returns; patterns has every
// pattern once.
func (c *calls) keep(rows []call, scratch []byte, patterns map[string]string) []byte {
	switch {
	case c.scattered == nil && c.pattern == "":
		slices.SortStableFunc(rows, func(a, b call) int { return cmp.Compare(a.sequence, b.sequence) })
		c.start = firstTime(rows)
		scratch = encode(scratch[:0], rows, call{departs: c.start})
		pattern, known := patterns[string(scratch)]
		if !known {
			pattern = string(scratch)
			patterns[pattern] = pattern
		}
		c.pattern = pattern
		return scratch
	case c.scattered == nil:
		rows = append(c.all(nil), rows...)
		c.pattern = ""
	}
	for i := range rows {
		c.scattered = encode(c.scattered, rows[i:i+1], call{})
	}
	return scratch
}

// all appends the rows of the trip to list, in order.
func (c *calls) all(list []call) []call {
	previous := call{departs: c.start}
	for rest := c.pattern; rest != ""; {
		var next call
		next, previous, rest = decode(rest, previous)
		list = append(list, next)
	}
	for rest := c.scattered; len(rest) > 0; {
		var next call
		next, _, rest = decode(rest, call{})
		list = append(list, next)
	}
	if c.scattered != nil {
		slices.SortStableFunc(list, func(a, b call) int { return cmp.Compare(a.sequence, b.sequence) })
	}
	return list
}

func firstTime(rows []call) int32 {
	for _, c := range rows {
		for _, time := range []int32{c.departs, c.arrives} {
			if time != noTime {
				return time
			}
		}
	}
	return 0
}
