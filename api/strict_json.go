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

// maxDepth is the maximum nesting of arrays and objects. The deepest request of the API
// has depth 3.
const maxDepth = 64

// jsonObject is a JSON object without duplicate names. Its values are string,
// json.Number, bool, nil, []any and jsonObject.
//
// The package does not decode into structs with encoding/json, because that ignores the
// case of names, accepts duplicate names, and replaces invalid UTF-8.
type jsonObject map[string]any

// parseObject parses a body that must be exactly one JSON object. It returns an
// invalid_request error for the field that is wrong, or for "body".
func parseObject(body []byte) (jsonObject, error) {
	if !utf8.Valid(body) {
		return nil, booking.InvalidField("body", "must be valid UTF-8")
	}
	// Check the syntax of the whole body first: the error names the position of the first
	// mistake, and the parser below sees neither syntax errors nor a second document.
	if err := json.Unmarshal(body, new(json.RawMessage)); err != nil {
		return nil, booking.InvalidField("body", "must be one JSON document: "+err.Error())
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	value, err := parser{decoder}.value(0)
	if err != nil {
		return nil, booking.InvalidField(err.field(), err.message)
	}
	fields, ok := value.(jsonObject)
	if !ok {
		return nil, booking.InvalidField("body", "must be a JSON object")
	}
	return fields, nil
}

// jsonError is what is wrong with a value, and the path to it, such as stops[2].station.
type jsonError struct{ path, message string }

func (e *jsonError) within(name string) *jsonError {
	if e.path != "" && !strings.HasPrefix(e.path, "[") {
		name += "."
	}
	return &jsonError{name + e.path, e.message}
}

func (e *jsonError) field() string {
	if e.path == "" || strings.HasPrefix(e.path, "[") {
		return "body" + e.path
	}
	return e.path
}

// parser parses valid JSON. It recurses at most maxDepth deep.
type parser struct{ *json.Decoder }

func (p parser) value(depth int) (any, *jsonError) {
	switch token := p.next().(type) {
	case json.Delim:
		if depth == maxDepth {
			return nil, &jsonError{"", fmt.Sprintf("must not be nested deeper than %d", maxDepth)}
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

func (p parser) array(depth int) (any, *jsonError) {
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

func (p parser) object(depth int) (any, *jsonError) {
	fields := jsonObject{}
	for p.More() {
		name, _ := p.next().(string)
		if _, duplicate := fields[name]; duplicate {
			return nil, &jsonError{truncate(name), "must not be given twice"}
		}
		value, err := p.value(depth)
		if err == nil {
			err = checkUnicode(name)
		}
		if err != nil {
			return nil, err.within(truncate(name))
		}
		fields[name] = value
	}
	p.next()
	return fields, nil
}

// next returns the next token of a document whose syntax is known to be valid.
func (p parser) next() json.Token {
	token, err := p.Token()
	if err != nil && err != io.EOF { //nolint:errorlint // Token returns it bare
		panic("api: valid JSON did not parse: " + err.Error())
	}
	return token
}

// checkUnicode rejects the replacement character: encoding/json writes it for a \u escape
// that is half of a surrogate pair, so the text may have lost a character.
func checkUnicode(s string) *jsonError {
	if strings.ContainsRune(s, utf8.RuneError) {
		return &jsonError{"", "must be whole Unicode text, without U+FFFD"}
	}
	return nil
}

// truncate limits how much of a name from the client a response repeats.
func truncate(name string) string {
	const most = 64
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return name
}
