package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// The lives of tokens, and the difference of clocks that is forgiven (API.md part 3).
const (
	DefaultAccessTTL  = 20 * time.Minute
	DefaultRefreshTTL = 24 * time.Hour
	Leeway            = 30 * time.Second

	// MaxTTL is the longest life of a token: whoever steals a secret's backup must not
	// find it good for ever, and a claim beyond it is nonsense.
	MaxTTL = 366 * 24 * time.Hour
)

// maxToken is the length of the longest text that is looked at, several times that of
// a token of ours.
const maxToken = 2048

// Tokens issues and reads JSON Web Tokens, HS256 and nothing else. It is immutable,
// so safe for concurrent use, and never prints its keys.
type Tokens struct {
	sign       string            // the kid of the key that signs
	keys       map[string][]byte // by kid
	accessTTL  time.Duration
	refreshTTL time.Duration
	parser     *jwt.Parser
}

// NewTokens returns Tokens that sign with the first key and accept all of them: to
// change the key, put the new one in front and take the old one out refreshTTL later.
// A key has at least 32 bytes, a TTL is one second to MaxTTL.
func NewTokens(keys [][]byte, accessTTL, refreshTTL time.Duration) (*Tokens, error) {
	if len(keys) == 0 {
		return nil, errors.New("a signing key is needed; " + howToMake)
	}
	for _, ttl := range []time.Duration{accessTTL, refreshTTL} {
		if ttl < time.Second || ttl > MaxTTL {
			return nil, fmt.Errorf("a token lives 1s to %s, not %s", MaxTTL, ttl)
		}
	}
	t := &Tokens{
		sign: keyID(keys[0]), keys: make(map[string][]byte, len(keys)),
		accessTTL: accessTTL, refreshTTL: refreshTTL,
		// Claims are checked by check: the parser's own rules take "1" for a number.
		parser: jwt.NewParser(jwt.WithValidMethods([]string{algorithm}),
			jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation()),
	}
	for i, key := range keys {
		if err := longEnough(key); err != nil {
			return nil, fmt.Errorf("signing key %d: %w", i+1, err)
		}
		t.keys[keyID(key)] = key
	}
	return t, nil
}

// Format keeps the keys out of whatever prints Tokens, with any verb.
func (*Tokens) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "signing keys") }

// LogValue keeps the keys out of the log.
func (*Tokens) LogValue() slog.Value { return slog.StringValue("signing keys") }

// keyID names a key without telling it: the first 8 bytes of its SHA-256.
func keyID(key []byte) string {
	sum := sha256.Sum256(key)
	return base64.RawURLEncoding.EncodeToString(sum[:8])
}

// issue makes a pair for user, and the record of its refresh token. The record
// outlives the token by Leeway, so that the claim alone decides when it ends.
func (t *Tokens) issue(user, family uuid.UUID, now time.Time) (Pair, booking.RefreshToken, error) {
	access := newClaims(kindAccess, user, now, t.accessTTL)
	refresh := newClaims(kindRefresh, user, now, t.refreshTTL)
	refresh.Family = family
	var pair Pair
	var err error
	if pair.Access, err = t.signed(access); err != nil {
		return Pair{}, booking.RefreshToken{}, err
	}
	if pair.Refresh, err = t.signed(refresh); err != nil {
		return Pair{}, booking.RefreshToken{}, err
	}
	return pair, booking.RefreshToken{
		ID: refresh.ID, Family: family, User: user,
		ExpiresAt: refresh.ExpiresAt.Add(Leeway),
	}, nil
}

func (t *Tokens) signed(c claims) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, c)
	token.Header["kid"] = t.sign
	text, err := token.SignedString(t.keys[t.sign])
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return text, nil
}

// read returns the claims of a token of that kind that is good at now. Error:
// unauthenticated, without a cause: nothing of a token reaches a log.
func (t *Tokens) read(text, kind string, now time.Time) (claims, error) {
	c, ok := t.parse(text)
	if !ok || !c.genuine(kind, now) || c.ended(now) {
		return claims{}, Unauthenticated()
	}
	return c, nil
}

// readEnded is read for a token that may have expired.
func (t *Tokens) readEnded(text, kind string, now time.Time) (claims, error) {
	c, ok := t.parse(text)
	if !ok || !c.genuine(kind, now) {
		return claims{}, Unauthenticated()
	}
	return c, nil
}

// parse checks form and signature. The base64 decoder passes over line breaks, even
// a strict one, so they are refused here: a token has one spelling.
func (t *Tokens) parse(text string) (claims, bool) {
	if len(text) > maxToken || strings.ContainsAny(text, "\r\n") {
		return claims{}, false
	}
	var c claims
	_, err := t.parser.ParseWithClaims(text, &c, t.key)
	return c, err == nil
}

// key returns the key that the header names. The name is looked up among our own and
// used for nothing else. The header is read once more, strictly: the parser takes the
// last of two members of one name and passes over what it does not know, such as
// crit, which must be understood (RFC 7515, 4.1.11).
func (t *Tokens) key(token *jwt.Token) (any, error) {
	segment, _, _ := strings.Cut(token.Raw, ".")
	header, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	if err != nil {
		return nil, errMalformed
	}
	kid, err := readHeader(header)
	if err != nil {
		return nil, err
	}
	key, known := t.keys[kid]
	if !known {
		return nil, errMalformed
	}
	return key, nil
}
