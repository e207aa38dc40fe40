package booking

// SeatList is the JSON array of the numbers of the seats that are available on a segment, ascending. It does not
// change, and is safe for concurrent use. The zero SeatList has no text: no list was requested.
type SeatList struct {
	text     []byte
	snapshot *Snapshot // encodes the text for each reader; nil if text has it
	segment  Legs
}

// EncodedSeatList returns the list with a text, which must not change.
func EncodedSeatList(text []byte) SeatList { return SeatList{text: text} }

// IsZero reports whether no list was requested.
func (l SeatList) IsZero() bool { return l.snapshot == nil && len(l.text) == 0 }

// MaxLen returns the most bytes that the text may have.
func (l SeatList) MaxLen() int {
	if l.snapshot == nil {
		return len(l.text)
	}
	return l.snapshot.seats.maxText(l.snapshot.seats.capacity)
}

// AppendTo appends the text to b.
func (l SeatList) AppendTo(b []byte) []byte {
	if l.snapshot == nil {
		return append(b, l.text...)
	}
	begin := len(b)
	b = l.snapshot.seats.appendFree(append(b, '['), l.segment)
	if len(b) == begin+1 {
		return append(b, ']')
	}
	b[len(b)-1] = ']' // instead of the last comma
	return b
}

// Bytes returns the text. It may be shared: do not change it.
func (l SeatList) Bytes() []byte {
	if l.snapshot == nil {
		return l.text
	}
	return l.AppendTo(make([]byte, 0, l.MaxLen()))
}

// String returns the text.
func (l SeatList) String() string { return string(l.Bytes()) }
