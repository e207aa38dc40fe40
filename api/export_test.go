package api

import "trainbooking.dev/booking"

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
