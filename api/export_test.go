package api

import (
	"net/url"
	"time"

	"trainbooking.dev/booking"
)

// SetStreams changes the limits of streams, before the first request.
func (s *Server) SetStreams(heartbeat, patience time.Duration, watchers int64) {
	s.streams = streamLimits{heartbeat, patience, watchers}
}

// Codes returns the code of each row of the table.
func Codes() []booking.Code {
	codes := make([]booking.Code, len(codeTable))
	for i, row := range codeTable {
		codes[i] = row.code
	}
	return codes
}

// Object is a parsed body.
type Object = jsonObject

// ParseObject parses a body.
func ParseObject(body []byte) (Object, error) { return parseObject(body) }

// Operation is an endpoint of the API, as openapi.yaml names it.
type Operation struct {
	Method, Path string
	Role         string // anyone, user, admin, train-admin
}

// Operations returns every endpoint of the API, without the documentation files.
func (s *Server) Operations() []Operation {
	roles := map[role]string{anyone: "anyone", user: "user", admin: "admin", trainAdmin: "train-admin", userOrPage: "user"}
	var operations []Operation
	for _, rt := range s.routes {
		if rt.file == nil {
			operations = append(operations, Operation{rt.method, rt.path, roles[rt.role]})
		}
	}
	return operations
}

// Fields has one field of each type that a decoder supports.
type Fields struct {
	Text    string
	Int     int
	Ints    []int
	Bool    bool
	Time    time.Time
	Date    time.Time
	Train   booking.TrainID
	Seat    booking.SeatID
	Hold    booking.HoldID
	Page    booking.PageRequest
	Objects []Fields
}

// DecodeFields decodes Fields from a query and a body.
func DecodeFields(query url.Values, body Object) (Fields, error) {
	d := newDecoder(nil, query, body, true)
	in := Fields{Page: d.page(booking.ListTrains).PageRequest}
	in.decode(d)
	d.objects("objects", func(inner *decoder) {
		var one Fields
		one.decode(inner)
		in.Objects = append(in.Objects, one)
	})
	return in, d.err()
}

func (in *Fields) decode(d *decoder) {
	in.Text = d.text("text", 5)
	in.Int = d.int("int", 9)
	in.Ints = d.ints("ints", 9)
	in.Bool = d.bool("bool", false)
	in.Time = d.time("time")
	in.Date = d.date("date")
	in.Train = d.trainID("train")
	in.Seat = d.seatID("seat")
	in.Hold = d.optionalHoldID("hold")
}

// DecodeHold parses and decodes the body of a hold.
func DecodeHold(body []byte) error {
	fields, err := parseObject(body)
	if err != nil {
		return err
	}
	d := newDecoder(nil, nil, fields, true)
	new(holdRequest).decode(d)
	return d.err()
}

// EncodeLists makes the server as busy as if it encoded as many long lists as it does at a time.
func (s *Server) EncodeLists() (end func()) {
	for range cap(s.encodingSlots) {
		s.encodingSlots <- struct{}{}
	}
	return func() {
		for range cap(s.encodingSlots) {
			<-s.encodingSlots
		}
	}
}

// TurnsOf returns after how many turns the encoder of a page of items rests.
func TurnsOf(items int) (turns int) {
	page := booking.Page[int]{Items: make([]int, items)}
	encodePage(pageRequest{}, page, func(n int) int { return n }, func(time.Duration) { turns++ })
	return turns
}

// AppendText and Encode encode a text as a JSON string.
func AppendText(b []byte, text string) []byte { return appendText(b, text) }
func Encode(v any) []byte                     { return encode(v) }

// MaxKept and MaxKeptSearch bound KeptSearches, in bytes.
const (
	MaxKept       = maxKept
	MaxKeptSearch = maxKeptSearch
)

// KeptSearches are the responses that a server keeps.
type KeptSearches struct{ keptSearches }

// Keep keeps a response.
func (k *KeptSearches) Keep(query string, body []byte) { k.keep(query, body, nil) }

// Find returns what is kept of a query; nil if nothing is.
func (k *KeptSearches) Find(query string) []byte {
	kept, _ := k.find(query)
	return kept.body
}

// MaxConflictLines is maxConflictLines.
const MaxConflictLines = maxConflictLines

// ConflictLines limits log lines.
type ConflictLines struct{ conflictLines }

// Admit reports whether a request has a line, and how many before had none.
func (l *ConflictLines) Admit(code booking.Code, now time.Time) (unlogged int, admitted bool) {
	return l.admit(code, now)
}
