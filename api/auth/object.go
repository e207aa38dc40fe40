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

// errMalformed stops the reading of a token; no client sees it, nor which part of the
// token was meant.
var errMalformed = errors.New("malformed token")

// maxSeconds is the last second of the year 9999: past it, time.Time cannot be
// written as text, and sums of times overflow.
const maxSeconds = 253402300799

// object is a JSON object that is read strictly: names compare exactly, and every
// member that is asked for must be there, in its type. err is errMalformed once
// anything was not so.
type object struct {
	members map[string]json.RawMessage
	err     error
}

// readObject reads one object, none of whose members may be there twice. encoding/json
// would take the last of them, another reader the first.
func readObject(text []byte) *object {
	o := &object{members: map[string]json.RawMessage{}}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return &object{err: errMalformed}
	}
	for decoder.More() {
		var value json.RawMessage
		token, err := decoder.Token()
		name, isName := token.(string)
		if err != nil || !isName || o.has(name) || decoder.Decode(&value) != nil {
			return &object{err: errMalformed}
		}
		o.members[name] = value
	}
	if _, err := decoder.Token(); err != nil { // the closing brace
		return &object{err: errMalformed}
	}
	return o
}

func (o *object) has(name string) bool {
	_, there := o.members[name]
	return there
}

// decode reads a member. null leaves the value as it is, so it counts as missing.
func (o *object) decode(name string, value any) {
	raw := o.members[name]
	if bytes.Equal(raw, []byte("null")) || json.Unmarshal(raw, value) != nil {
		o.err = errMalformed
	}
}

func (o *object) text(name string) (s string) {
	o.decode(name, &s)
	return s
}

// texts reads a text or a list of texts, as aud may be.
func (o *object) texts(name string) (s jwt.ClaimStrings) {
	o.decode(name, &s)
	return s
}

// id reads a UUID in its one canonical form.
func (o *object) id(name string) uuid.UUID {
	s := o.text(name)
	id, err := uuid.Parse(s)
	if err != nil || id.String() != s || id == uuid.Nil {
		o.err = errMalformed
	}
	return id
}

// time reads whole seconds since 1970. RFC 7519 allows fractions; we write none.
func (o *object) time(name string) *jwt.NumericDate {
	var seconds int64
	o.decode(name, &seconds)
	if seconds < 0 || seconds > maxSeconds {
		o.err = errMalformed
	}
	return jwt.NewNumericDate(time.Unix(seconds, 0))
}

// readHeader returns the kid of a token's header, which may say alg, kid and typ and
// nothing else. alg is pinned by the parser.
func readHeader(text []byte) (kid string, err error) {
	o := readObject(text)
	for name := range o.members {
		if !slices.Contains([]string{"alg", "kid", "typ"}, name) {
			return "", errMalformed
		}
	}
	if o.has("typ") && o.text("typ") != "JWT" {
		return "", errMalformed
	}
	kid = o.text("kid")
	return kid, o.err
}
