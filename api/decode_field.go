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

// Each method below decodes one field. If the field is not valid, the method records an
// error and returns the zero value, unless documented otherwise.

// text decodes a required text of 1 to longest characters: trimmed, in NFC, without control characters.
func (d *decoder) text(name string, longest int) string {
	if _, given := d.required(name); !given {
		return ""
	}
	return d.optionalText(name, longest)
}

// optionalText is text for a field that may be missing; it returns "" then.
func (d *decoder) optionalText(name string, longest int) string {
	raw, given := d.optionalString(name)
	if !given {
		return ""
	}
	clean, message := booking.CleanText(raw, 1, longest)
	if message != "" {
		d.fieldError(name, message)
	}
	return clean
}

// string decodes a required string as it is. The caller validates it.
func (d *decoder) string(name string) string {
	d.required(name)
	s, _ := d.optionalString(name)
	return s
}

// optionalString is string for a field that may be missing.
func (d *decoder) optionalString(name string) (s string, given bool) {
	value, given := d.lookup(name)
	if !given {
		return "", false
	}
	switch value := value.(type) {
	case string:
		return value, true
	case queryValue:
		return string(value), true
	}
	d.fieldError(name, "must be a string")
	return "", false
}

// isSecond decodes one of two words, the first of which is the default, and reports whether it is the second.
func (d *decoder) isSecond(name, first, second string) bool {
	word, given := d.optionalString(name)
	if given && word != first && word != second {
		d.fieldError(name, "must be "+first+" or "+second)
	}
	return given && word == second
}

// int decodes a required integer from 1 to limit.
func (d *decoder) int(name string, limit int) int {
	value, given := d.required(name)
	if !given {
		return 0
	}
	n, message := parseInt(value, 1, limit)
	if message != "" {
		d.fieldError(name, message)
	}
	return n
}

// intFrom0 decodes an integer from 0 to limit. It returns fallback if the field is missing.
func (d *decoder) intFrom0(name string, limit, fallback int) int {
	value, given := d.lookup(name)
	if !given {
		return fallback
	}
	n, message := parseInt(value, 0, limit)
	if message != "" {
		d.fieldError(name, message)
	}
	return n
}

// ints decodes a required array of integers from 1 to limit.
func (d *decoder) ints(name string, limit int) []int {
	value, given := d.required(name)
	elements, ok := value.([]any)
	if !ok && given {
		d.fieldError(name, "must be an array of whole numbers")
	}
	numbers := make([]int, len(elements))
	for i, element := range elements {
		n, message := parseInt(element, 1, limit)
		if message != "" {
			d.fieldError(fmt.Sprintf("%s[%d]", name, i), message)
			return numbers[:i+1] // not none, which would be another error
		}
		numbers[i] = n
	}
	return numbers
}

// parseInt accepts an integer literal from least to limit. It rejects other forms of the same
// value: "5", 5.0, 1e1 and true.
func parseInt(value any, least, limit int) (n int, message string) {
	var literal string
	switch value := value.(type) {
	case json.Number:
		literal = value.String()
	case queryValue:
		literal = string(value)
	}
	n, err := strconv.Atoi(literal)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, "must be a whole number"
	case err != nil || n < least || n > limit:
		return 0, fmt.Sprintf("must be %d to %d", least, limit)
	}
	return n, ""
}

// bool decodes true or false. It returns fallback if the field is missing or not valid.
func (d *decoder) bool(name string, fallback bool) bool {
	value, given := d.lookup(name)
	if !given {
		return fallback
	}
	switch value {
	case true, queryValue("true"):
		return true
	case false, queryValue("false"):
		return false
	}
	d.fieldError(name, "must be true or false")
	return fallback
}

// rfc3339 rejects what time.Parse accepts: hours of one digit, a comma before the
// fraction, and offsets of a day or more, which time.Time cannot format again.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// time decodes an optional RFC 3339 time with its offset. Years before 1970 are errors:
// to the domain, the zero time means that no time is set.
func (d *decoder) time(name string) time.Time {
	raw, given := d.optionalString(name)
	if !given {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, raw)
	if err == nil && rfc3339.MatchString(raw) && t.Year() >= 1970 {
		return t
	}
	d.fieldError(name, "must be a time such as 2026-12-01T06:00:00+05:30")
	return time.Time{}
}

// date decodes an optional calendar date.
func (d *decoder) date(name string) time.Time {
	raw, given := d.optionalString(name)
	if !given {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, raw)
	if err != nil || day.Year() < 1970 {
		d.fieldError(name, "must be a date such as 2026-12-01")
	}
	return day
}

// objects decodes a required array of objects. It calls decode for each of them.
func (d *decoder) objects(name string, decode func(*decoder)) {
	value, given := d.required(name)
	elements, ok := value.([]any)
	if !ok && given {
		d.fieldError(name, "must be an array of objects")
	}
	for i, element := range elements {
		path := fmt.Sprintf("%s[%d]", name, i)
		fields, ok := element.(jsonObject)
		if !ok {
			d.fieldError(path, "must be an object")
			return
		}
		inner := newDecoder(nil, nil, fields, true)
		decode(inner)
		d.addNested(path, inner)
	}
}
