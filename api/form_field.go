package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"trainbooking.dev/booking"
)

// The kinds of fields that a form has. Each method reads one field, notes what is wrong
// with it, and returns the zero value then.

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

// whole reads a whole number from 1 to most.
func (f *form) whole(name string, most int) int {
	value, given := f.required(name)
	if !given {
		return 0
	}
	n, sentence := wholeNumber(value, most)
	if sentence != "" {
		f.fault(name, sentence)
	}
	return n
}

// wholes reads an array of whole numbers from 1 to most.
func (f *form) wholes(name string, most int) []int {
	value, given := f.required(name)
	elements, ok := value.([]any)
	if !ok && given {
		f.fault(name, "must be an array of whole numbers")
	}
	numbers := make([]int, len(elements))
	for i, element := range elements {
		n, sentence := wholeNumber(element, most)
		if sentence != "" {
			f.fault(fmt.Sprintf("%s[%d]", name, i), sentence)
			return nil
		}
		numbers[i] = n
	}
	return numbers
}

// wholeNumber takes an integer literal from 1 to most, and nothing that merely has a
// whole value: neither "5" nor 5.0 nor 1e1 nor true.
func wholeNumber(value any, most int) (n int, sentence string) {
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
	case err != nil || n < 1 || n > most:
		return 0, fmt.Sprintf("must be 1 to %d", most)
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

// rfc3339 is what time.Parse is lenient about: hours of one digit, a comma before the
// fraction, offsets of a day and more, which it cannot write again.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// instant reads an RFC 3339 time with its offset; zero when it is not given. Years
// before 1970 are refused: the zero time means "no time" to the domain.
func (f *form) instant(name string) time.Time {
	raw, given := f.str(name)
	if !given {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, raw)
	if err == nil && rfc3339.MatchString(raw) && t.Year() >= 1970 {
		return t
	}
	f.fault(name, "must be a time such as 2026-12-01T06:00:00+05:30")
	return time.Time{}
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
