package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

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
	if !gjson.ValidBytes(body) {
		return nil, booking.InvalidField("body", "must be one JSON document: "+syntaxError(body))
	}
	value, err := parse(gjson.ParseBytes(body), 0)
	if err != nil {
		return nil, booking.InvalidField(err.field(), err.message)
	}
	fields, ok := value.(jsonObject)
	if !ok {
		return nil, booking.InvalidField("body", "must be a JSON object")
	}
	return fields, nil
}

// syntaxError returns the first mistake in a body that is not valid, with its position.
func syntaxError(body []byte) string {
	if err := json.Unmarshal(body, new(json.RawMessage)); err != nil {
		return err.Error()
	}
	return "its syntax is wrong"
}

// jsonError is an error in the value at path, such as stops[2].station.
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

// parse returns a value of valid JSON. It recurses at most maxDepth deep.
func parse(value gjson.Result, depth int) (any, *jsonError) {
	switch value.Type {
	case gjson.JSON:
		if depth == maxDepth {
			return nil, &jsonError{"", fmt.Sprintf("must not be nested deeper than %d", maxDepth)}
		}
		if value.IsArray() {
			return parseArray(value, depth+1)
		}
		return parseFields(value, depth+1)
	case gjson.String:
		return value.Str, checkUnicode(value.Str)
	case gjson.Number:
		return json.Number(value.Raw), nil
	case gjson.True, gjson.False:
		return value.Type == gjson.True, nil
	default:
		return nil, nil //nolint:nilnil // null
	}
}

func parseArray(array gjson.Result, depth int) (_ any, err *jsonError) {
	elements := []any{}
	array.ForEach(func(_, value gjson.Result) bool {
		var element any
		if element, err = parse(value, depth); err != nil {
			err = err.within(fmt.Sprintf("[%d]", len(elements)))
		}
		elements = append(elements, element)
		return err == nil
	})
	return elements, err
}

func parseFields(object gjson.Result, depth int) (_ any, err *jsonError) {
	fields := jsonObject{}
	object.ForEach(func(key, value gjson.Result) bool {
		name := key.Str
		if _, duplicate := fields[name]; duplicate {
			err = &jsonError{truncate(name), "must not be given twice"}
			return false
		}
		var field any
		if field, err = parse(value, depth); err == nil {
			err = checkUnicode(name)
		}
		if err != nil {
			err = err.within(truncate(name))
		}
		fields[name] = field
		return err == nil
	})
	return fields, err
}

// checkUnicode rejects the replacement character: encoding/json writes it for a \u escape
// that is half of a surrogate pair, so the text may have lost a character.
func checkUnicode(s string) *jsonError {
	if strings.ContainsRune(s, utf8.RuneError) {
		return &jsonError{"", "must contain neither U+FFFD nor half of a surrogate pair"}
	}
	return nil
}

// truncate shortens a name from the client for a response.
func truncate(name string) string {
	const maxRunes = 64
	if runes := []rune(name); len(runes) > maxRunes {
		return string(runes[:maxRunes]) + "…"
	}
	return name
}
