package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// errMalformed is returned for any malformed token. Clients do not see it.
var errMalformed = errors.New("malformed token")

// maxSeconds is the last second of the year 9999. Later times cannot be formatted, and
// adding to them may overflow.
const maxSeconds = 253402300799

// jsonObject is a JSON object for strict decoding: names must match exactly, and each
// member that is read must exist and have its type. Otherwise err is errMalformed.
type jsonObject struct {
	members map[string]json.RawMessage
	err     error
}

// parseObject parses an object without duplicate members. Of duplicates, encoding/json
// would use the last, and another parser the first.
func parseObject(text []byte) *jsonObject {
	o := &jsonObject{members: map[string]json.RawMessage{}}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return &jsonObject{err: errMalformed}
	}
	for decoder.More() {
		var value json.RawMessage
		token, err := decoder.Token()
		name, isName := token.(string)
		if err != nil || !isName || o.has(name) || decoder.Decode(&value) != nil {
			return &jsonObject{err: errMalformed}
		}
		o.members[name] = value
	}
	if _, err := decoder.Token(); err != nil { // the closing brace
		return &jsonObject{err: errMalformed}
	}
	return o
}

func (o *jsonObject) has(name string) bool {
	_, found := o.members[name]
	return found
}

// decode decodes a member. null counts as missing, because it does not set the value.
func (o *jsonObject) decode(name string, value any) {
	raw := o.members[name]
	if bytes.Equal(raw, []byte("null")) || json.Unmarshal(raw, value) != nil {
		o.err = errMalformed
	}
}

func (o *jsonObject) string(name string) (s string) {
	o.decode(name, &s)
	return s
}

// audience decodes a string or a list of strings.
func (o *jsonObject) audience(name string) (s jwt.ClaimStrings) {
	o.decode(name, &s)
	return s
}

// id decodes a UUID in its canonical form.
func (o *jsonObject) id(name string) uuid.UUID {
	s := o.string(name)
	id, err := uuid.Parse(s)
	if err != nil || id.String() != s || id == uuid.Nil {
		o.err = errMalformed
	}
	return id
}

// time decodes whole seconds since 1970. RFC 7519 allows fractions, but our tokens have none.
func (o *jsonObject) time(name string) *jwt.NumericDate {
	var seconds int64
	o.decode(name, &seconds)
	if seconds < 0 || seconds > maxSeconds {
		o.err = errMalformed
	}
	return jwt.NewNumericDate(time.Unix(seconds, 0))
}

// parseHeader returns the kid of a token's header, which may contain only alg, kid and
// typ. The JWT parser checks alg.
func parseHeader(text []byte) (kid string, err error) {
	o := parseObject(text)
	for name := range o.members {
		if !slices.Contains([]string{"alg", "kid", "typ"}, name) {
			return "", errMalformed
		}
	}
	if o.has("typ") && o.string("typ") != "JWT" {
		return "", errMalformed
	}
	kid = o.string("kid")
	return kid, o.err
}
