package api

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

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

// has reports whether the field is given.
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
