package api

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"trainbooking.dev/booking"
)

// decoder reads the fields of a request from its path parameters, its query parameters and
// its JSON body. A query parameter takes precedence over a body field of the same name.
// The decoder collects one error message for each field. Names that no method has read are
// errors too (API.md 3).
type decoder struct {
	path  func(name string) string
	query url.Values
	body  jsonObject

	header      http.Header // nil: none
	strictQuery bool        // unknown query parameters are errors
	known       []string    // the names that were read; at first in names
	names       [4]string
	fieldErrors map[string]string // messages by field; nil if there are none
	notFound    error             // the path names something that cannot exist
}

// maxFieldErrors bounds the response to a body with thousands of unknown names.
const maxFieldErrors = 20

// queryValue is the value of a query parameter. Unlike a JSON string, it may be decoded
// as a number or a bool.
type queryValue string

func newDecoder(path func(string) string, query url.Values, body jsonObject, strictQuery bool) *decoder {
	d := &decoder{path: path, query: query, body: body, strictQuery: strictQuery}
	d.known = d.names[:0]
	return d
}

// err returns an error if the request is not valid: invalid_request, or not_found for a
// path that names something that cannot exist. Call it after all fields are read.
func (d *decoder) err() error {
	d.rejectUnknown(unknown(d.body, d.known))
	if d.strictQuery {
		d.rejectUnknown(unknown(d.query, d.known))
	}
	if err := booking.Invalid(d.fieldErrors); err != nil {
		return err
	}
	return d.notFound
}

// unknown returns the names of fields that are not known, sorted.
func unknown[T any](fields map[string]T, known []string) (names []string) {
	for name := range fields {
		if !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (d *decoder) rejectUnknown(names []string) {
	for _, name := range names {
		if len(d.fieldErrors) < maxFieldErrors {
			d.fieldError(truncate(strings.ToValidUTF8(name, "?")), "is not a field of this request")
		}
	}
}

// fieldError records what is wrong with a field. The first message of a field is kept.
func (d *decoder) fieldError(name, message string) {
	if d.fieldErrors == nil {
		d.fieldErrors = map[string]string{}
	}
	if _, recorded := d.fieldErrors[name]; !recorded {
		d.fieldErrors[name] = message
	}
}

// addErrors records the fields of an invalid_request error; names maps the domain's field
// names to those of this request.
func (d *decoder) addErrors(err error, names map[string]string) {
	invalid, ok := errors.AsType[*booking.Error](err)
	if !ok {
		return
	}
	for name, message := range invalid.Fields {
		if own, renamed := names[name]; renamed {
			name = own
		}
		d.fieldError(name, message)
	}
}

// addNested records the errors of an object inside this request, up to maxFieldErrors.
func (d *decoder) addNested(path string, inner *decoder) {
	invalid, ok := errors.AsType[*booking.Error](inner.err())
	if !ok {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(invalid.Fields)) {
		if len(d.fieldErrors) < maxFieldErrors {
			d.fieldError(path+"."+name, invalid.Fields[name])
		}
	}
}

// has reports whether the request has the field.
func (d *decoder) has(name string) bool {
	_, given := d.lookup(name)
	return given
}

func (d *decoder) lookup(name string) (value any, given bool) {
	d.known = append(d.known, name)
	if values, given := d.query[name]; given {
		if len(values) > 1 {
			d.fieldError(name, "must not be given twice")
		}
		return queryValue(values[0]), true
	}
	value, given = d.body[name]
	return value, given
}

// required is lookup for a field that the request must have.
func (d *decoder) required(name string) (value any, given bool) {
	value, given = d.lookup(name)
	if !given {
		d.fieldError(name, "is required")
	}
	return value, given
}
