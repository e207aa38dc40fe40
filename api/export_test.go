package api

import (
	"net/url"
	"time"

	"trainbooking.dev/booking"
)

// Codes returns every code of the table, as often as it stands there.
func Codes() []booking.Code {
	codes := make([]booking.Code, len(meanings))
	for i, m := range meanings {
		codes[i] = m.code
	}
	return codes
}

// Object is a JSON object as a body is read.
type Object = object

// ParseObject reads a body.
func ParseObject(body []byte) (Object, error) { return parseObject(body) }

// Operation is an endpoint of the API, as openapi.yaml names it.
type Operation struct {
	Method, Path string
	Role         string // anyone, user, admin, train-admin
}

// Operations returns every endpoint, but not the pages.
func (s *Server) Operations() []Operation {
	roles := map[role]string{anyone: "anyone", user: "user", admin: "admin", trainAdmin: "train-admin"}
	var operations []Operation
	for _, rt := range s.routes {
		if rt.page == nil {
			operations = append(operations, Operation{rt.method, rt.path, roles[rt.role]})
		}
	}
	return operations
}

// Fields is one field of each kind that a form has.
type Fields struct {
	Text    string
	Whole   int
	Wholes  []int
	Truth   bool
	Instant time.Time
	Date    time.Time
	Train   booking.TrainID
	Seat    booking.SeatID
	Hold    booking.HoldID
	Page    booking.PageRequest
	Each    []Fields
}

// ReadFields reads them from the query and the body.
func ReadFields(query url.Values, body Object) (Fields, error) {
	f := newForm(nil, query, body, true)
	in := Fields{Page: f.page()}
	in.read(f)
	f.each("each", func(inner *form) {
		var one Fields
		one.read(inner)
		in.Each = append(in.Each, one)
	})
	return in, f.err()
}

func (in *Fields) read(f *form) {
	in.Text = f.text("text", 1, 5)
	in.Whole = f.whole("whole", 9)
	in.Wholes = f.wholes("wholes", 9)
	in.Truth = f.truth("truth", false)
	in.Instant = f.instant("instant")
	in.Date = f.date("date")
	in.Train = f.trainID("train")
	in.Seat = f.seatID("seat")
	in.Hold = f.optionalHoldID("hold")
}
