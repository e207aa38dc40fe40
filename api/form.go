package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"trainbooking.dev/booking"
)

// form is what a request says, field by field: its path parameters, its query
// parameters, which win, and its JSON body. A request type reads its fields from it;
// what is wrong is collected, a sentence a field, and names that nobody read are
// refused at the end (API.md 3).
type form struct {
	path  func(name string) string
	query url.Values
	body  object

	strictQuery bool // unknown query parameters are refused
	asked       map[string]bool
	faults      map[string]string
	absent      error // a path names what cannot exist
}

// maxFaults bounds the answer to a body of thousands of unknown names.
const maxFaults = 20

// param is a value of the query: text, of which a number is made only where one is
// asked for.
type param string

func newForm(path func(string) string, query url.Values, body object, strictQuery bool) *form {
	return &form{
		path: path, query: query, body: body, strictQuery: strictQuery,
		asked: map[string]bool{}, faults: map[string]string{},
	}
}

// err says what is wrong with the whole form, once everything has been read:
// invalid_request, or not_found for a path that names nothing.
func (f *form) err() error {
	for _, name := range slices.Sorted(maps.Keys(f.body)) {
		f.refuseUnknown(name)
	}
	if f.strictQuery {
		for _, name := range slices.Sorted(maps.Keys(f.query)) {
			f.refuseUnknown(name)
		}
	}
	if err := booking.Invalid(f.faults); err != nil {
		return err
	}
	return f.absent
}

func (f *form) refuseUnknown(name string) {
	if !f.asked[name] && len(f.faults) < maxFaults {
		f.fault(shorten(strings.ToValidUTF8(name, "?")), "is not a field of this request")
	}
}

// fault notes what is wrong with a field; the first sentence stays.
func (f *form) fault(name, sentence string) {
	if _, known := f.faults[name]; !known {
		f.faults[name] = sentence
	}
}

// check notes the faults of an invalid_request error, under the names that this
// request has for them.
func (f *form) check(err error, names map[string]string) {
	invalid, ok := errors.AsType[*booking.Error](err)
	if !ok {
		return
	}
	for name, sentence := range invalid.Fields {
		if own, renamed := names[name]; renamed {
			name = own
		}
		f.fault(name, sentence)
	}
}

// has says whether the field is given.
func (f *form) has(name string) bool {
	_, given := f.lookup(name)
	return given
}

func (f *form) lookup(name string) (value any, given bool) {
	f.asked[name] = true
	if values, given := f.query[name]; given {
		if len(values) > 1 {
			f.fault(name, "must not be given twice")
		}
		return param(values[0]), true
	}
	value, given = f.body[name]
	return value, given
}

// required is lookup for a field that must be there.
func (f *form) required(name string) (value any, given bool) {
	value, given = f.lookup(name)
	if !given {
		f.fault(name, "is required")
	}
	return value, given
}

// text reads a name: trimmed, in NFC, without control characters.
func (f *form) text(name string, shortest, longest int) string {
	if _, given := f.required(name); !given {
		return ""
	}
	return f.optionalText(name, shortest, longest)
}

// optionalText is text, or "" when the field is not given.
func (f *form) optionalText(name string, shortest, longest int) string {
	raw, given := f.str(name)
	if !given {
		return ""
	}
	clean, sentence := booking.CleanText(raw, shortest, longest)
	if sentence != "" {
		f.fault(name, sentence)
	}
	return clean
}

// raw reads a string as it is; whoever gets it judges it.
func (f *form) raw(name string) string {
	f.required(name)
	raw, _ := f.str(name)
	return raw
}

// str is raw for a field that may be missing.
func (f *form) str(name string) (s string, given bool) {
	value, given := f.lookup(name)
	if !given {
		return "", false
	}
	switch value := value.(type) {
	case string:
		return value, true
	case param:
		return string(value), true
	}
	f.fault(name, "must be a string")
	return "", false
}

// whole reads a whole number from least to most, both included.
func (f *form) whole(name string, least, most int) int {
	value, given := f.required(name)
	if !given {
		return 0
	}
	n, sentence := wholeNumber(value, least, most)
	if sentence != "" {
		f.fault(name, sentence)
	}
	return n
}

// wholes reads an array of whole numbers from least to most.
func (f *form) wholes(name string, least, most int) []int {
	value, given := f.required(name)
	elements, ok := value.([]any)
	if !ok && given {
		f.fault(name, "must be an array of whole numbers")
	}
	numbers := make([]int, len(elements))
	for i, element := range elements {
		n, sentence := wholeNumber(element, least, most)
		if sentence != "" {
			f.fault(fmt.Sprintf("%s[%d]", name, i), sentence)
			return nil
		}
		numbers[i] = n
	}
	return numbers
}

// wholeNumber takes an integer literal and nothing that merely has a whole value:
// neither "5" nor 5.0 nor 1e1 nor true.
func wholeNumber(value any, least, most int) (n int, sentence string) {
	var literal string
	switch value := value.(type) {
	case json.Number:
		literal = value.String()
	case param:
		literal = string(value)
	}
	n, err := strconv.Atoi(literal)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, "must be a whole number"
	case err != nil || n < least || n > most:
		return 0, fmt.Sprintf("must be %d to %d", least, most)
	}
	return n, ""
}

// truth reads true or false, or returns otherwise when the field is not given.
func (f *form) truth(name string, otherwise bool) bool {
	value, given := f.lookup(name)
	if !given {
		return otherwise
	}
	switch value {
	case true, param("true"):
		return true
	case false, param("false"):
		return false
	}
	f.fault(name, "must be true or false")
	return otherwise
}

// instant reads an RFC 3339 time with its offset; zero when it is not given. Years
// before 1970 are refused: the zero time means "no time" to the domain.
func (f *form) instant(name string) (t time.Time) {
	raw, given := f.str(name)
	if !given {
		return t
	}
	if err := t.UnmarshalText([]byte(raw)); err != nil || t.Year() < 1970 {
		f.fault(name, "must be a time such as 2026-12-01T06:00:00+05:30")
		return time.Time{}
	}
	return t
}

// date reads a calendar date; zero when it is not given.
func (f *form) date(name string) time.Time {
	raw, given := f.str(name)
	if !given {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, raw)
	if err != nil || day.Year() < 1970 {
		f.fault(name, "must be a date such as 2026-12-01")
	}
	return day
}

// each reads an array of objects, and each of them with read.
func (f *form) each(name string, read func(*form)) {
	value, given := f.required(name)
	elements, ok := value.([]any)
	if !ok && given {
		f.fault(name, "must be an array of objects")
	}
	for i, element := range elements {
		at := fmt.Sprintf("%s[%d]", name, i)
		fields, ok := element.(object)
		if !ok {
			f.fault(at, "must be an object")
			return
		}
		inner := newForm(nil, nil, fields, true)
		read(inner)
		f.take(at, inner)
	}
}

// take notes the faults of a form within this one, up to maxFaults.
func (f *form) take(at string, inner *form) {
	invalid, ok := errors.AsType[*booking.Error](inner.err())
	if !ok {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(invalid.Fields)) {
		if len(f.faults) < maxFaults {
			f.fault(at+"."+name, invalid.Fields[name])
		}
	}
}
