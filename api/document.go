package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"trainbooking.dev/booking"
)

// maxDepth is how deep arrays and objects may lie in one another. The deepest request
// of the API has depth 3.
const maxDepth = 64

// object is a JSON object, no name in it twice. Its values are string, json.Number,
// bool, nil, []any and object.
//
// encoding/json's own decoding into structs is not used: it takes names in any case,
// takes the last of two equal names, and replaces what is not UTF-8.
type object map[string]any

// parseObject reads a body that is exactly one JSON object. Anything else is an
// invalid_request error whose field is the one at fault, or "body".
func parseObject(body []byte) (object, error) {
	if !utf8.Valid(body) {
		return nil, booking.InvalidField("body", "must be valid UTF-8")
	}
	// One look at the whole first: the parser below then meets no syntax error and no
	// second document, and the sentence says at which character the first one is.
	if err := json.Unmarshal(body, new(json.RawMessage)); err != nil {
		return nil, booking.InvalidField("body", "must be one JSON document: "+err.Error())
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	value, err := parser{decoder}.value(0)
	if err != nil {
		return nil, booking.InvalidField(err.field(), err.sentence)
	}
	fields, ok := value.(object)
	if !ok {
		return nil, booking.InvalidField("body", "must be a JSON object")
	}
	return fields, nil
}

// fault is what is wrong with a value, and where: "stops[2].station".
type fault struct{ at, sentence string }

func (f *fault) within(name string) *fault {
	if f.at != "" && !strings.HasPrefix(f.at, "[") {
		name += "."
	}
	return &fault{name + f.at, f.sentence}
}

func (f *fault) field() string {
	if f.at == "" || strings.HasPrefix(f.at, "[") {
		return "body" + f.at
	}
	return f.at
}

// parser turns valid JSON into values. It recurses at most maxDepth deep.
type parser struct{ *json.Decoder }

func (p parser) value(depth int) (any, *fault) {
	switch token := p.next().(type) {
	case json.Delim:
		if depth == maxDepth {
			return nil, &fault{"", fmt.Sprintf("must not be nested deeper than %d", maxDepth)}
		}
		if token == '[' {
			return p.array(depth + 1)
		}
		return p.object(depth + 1)
	case string:
		return token, checkUnicode(token)
	default: // json.Number, bool, nil
		return token, nil
	}
}

func (p parser) array(depth int) (any, *fault) {
	elements := []any{}
	for p.More() {
		element, err := p.value(depth)
		if err != nil {
			return nil, err.within(fmt.Sprintf("[%d]", len(elements)))
		}
		elements = append(elements, element)
	}
	p.next()
	return elements, nil
}

func (p parser) object(depth int) (any, *fault) {
	fields := object{}
	for p.More() {
		name, _ := p.next().(string)
		if _, twice := fields[name]; twice {
			return nil, &fault{shorten(name), "must not be given twice"}
		}
		value, err := p.value(depth)
		if err == nil {
			err = checkUnicode(name)
		}
		if err != nil {
			return nil, err.within(shorten(name))
		}
		fields[name] = value
	}
	p.next()
	return fields, nil
}

// next returns the next token of a document that is known to be valid.
func (p parser) next() json.Token {
	token, err := p.Token()
	if err != nil && err != io.EOF { //nolint:errorlint // Token returns it bare
		panic("api: valid JSON did not parse: " + err.Error())
	}
	return token
}

// checkUnicode refuses the replacement character: encoding/json puts it where a \u
// escape is half a surrogate pair, and a name with it has lost something before.
func checkUnicode(s string) *fault {
	if strings.ContainsRune(s, utf8.RuneError) {
		return &fault{"", "must be whole Unicode text, without U+FFFD"}
	}
	return nil
}

// shorten bounds what an answer repeats of a name that a client made up.
func shorten(name string) string {
	const most = 64
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return name
}
