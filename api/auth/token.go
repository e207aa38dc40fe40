package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/maypok86/otter/v2"

	"trainbooking.dev/booking"
)

// The lifetimes of tokens and the tolerated clock difference (API.md part 3).
const (
	DefaultAccessTTL  = 20 * time.Minute
	DefaultRefreshTTL = 24 * time.Hour
	Leeway            = 30 * time.Second

	// MaxTTL is the maximum lifetime of a token, so that a stolen token does not stay
	// valid indefinitely.
	MaxTTL = 366 * 24 * time.Hour
)

// maxToken is the maximum length of a token that is parsed, several times that of an
// issued one.
const maxToken = 2048

// maxVerified is how many access tokens are remembered as verified, about 9 MB.
const maxVerified = 16_384

// Tokens issues and validates JSON Web Tokens with HS256. It is safe for concurrent use. Printing
// or logging it does not reveal its keys.
type Tokens struct {
	keys       atomic.Pointer[keySet]
	accessTTL  time.Duration
	refreshTTL time.Duration
	parser     *jwt.Parser
}

// keySet has the keys that are in use at one time. It is immutable.
type keySet struct {
	signing string            // the kid of the key that signs
	byKid   map[string][]byte // all keys

	// verified has the claims of access tokens whose syntax and signature are right, by the whole token: a
	// client sends the same one many times, and verifying it costs more than all else that a request does in the
	// API. It is dropped with the set, so a removed key verifies nothing any more.
	verified *otter.Cache[string, claims]
}

// NewTokens returns Tokens that sign with the first key and accept all keys. It returns an error if
// a key has less than 32 bytes or a TTL is not one second to MaxTTL.
func NewTokens(keys [][]byte, accessTTL, refreshTTL time.Duration) (*Tokens, error) {
	for _, ttl := range []time.Duration{accessTTL, refreshTTL} {
		if ttl < time.Second || ttl > MaxTTL {
			return nil, fmt.Errorf("the TTL of a token must be 1s to %s, not %s", MaxTTL, ttl)
		}
	}
	t := &Tokens{
		accessTTL: accessTTL, refreshTTL: refreshTTL,
		// claims.valid validates the claims, because the parser accepts "1" as a number.
		parser: jwt.NewParser(jwt.WithValidMethods([]string{algorithm}),
			jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation()),
	}
	err := t.SetKeys(keys)
	return t, err
}

// SetKeys replaces the keys: the first one signs from now on, and tokens of keys that are not among
// them are no longer valid. To replace a key without logging anybody out, insert the new one before
// it and remove the old one after refreshTTL. After an error, which is one of NewTokens, the previous
// keys stay in use.
func (t *Tokens) SetKeys(keys [][]byte) error {
	if len(keys) == 0 {
		return errors.New("a signing key is required; " + secretHint)
	}
	set := &keySet{
		signing: keyID(keys[0]), byKid: make(map[string][]byte, len(keys)),
		verified: otter.Must(&otter.Options[string, claims]{MaximumSize: maxVerified}),
	}
	for i, key := range keys {
		if err := checkLength(key); err != nil {
			return fmt.Errorf("signing key %d: %w", i+1, err)
		}
		set.byKid[keyID(key)] = key
	}
	t.keys.Store(set)
	return nil
}

// RefreshTTL returns for how long a refresh token is valid.
func (t *Tokens) RefreshTTL() time.Duration { return t.refreshTTL }

// Format prints no key, for every verb.
func (*Tokens) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "signing keys") }

// LogValue returns no key.
func (*Tokens) LogValue() slog.Value { return slog.StringValue("signing keys") }

// KeyIDs returns the kid of the key that signs, which its tokens have in their header, and those of
// the other keys.
func (t *Tokens) KeyIDs() (signing string, others []string) {
	keys := t.keys.Load()
	others = make([]string, 0, len(keys.byKid))
	for kid := range keys.byKid {
		if kid != keys.signing {
			others = append(others, kid)
		}
	}
	slices.Sort(others)
	return keys.signing, others
}

// keyID returns the kid of a key: the first 8 bytes of its SHA-256, which do not reveal it.
func keyID(key []byte) string {
	sum := sha256.Sum256(key)
	return base64.RawURLEncoding.EncodeToString(sum[:8])
}

// newRefresh returns the record of a new refresh token. It expires Leeway after the token, so that
// only the claim decides when the token expires.
func (t *Tokens) newRefresh(user, family uuid.UUID, now time.Time) booking.RefreshToken {
	now = now.UTC().Truncate(time.Microsecond)
	return booking.RefreshToken{
		ID: uuid.New(), Family: family, User: user,
		IssuedAt: now, ExpiresAt: now.Add(t.refreshTTL).Truncate(time.Second).Add(Leeway),
	}
}

// issue returns the refresh token of a record and a new access token. A record always gives the same
// refresh token, unless the signing key has changed, so no store needs to keep the token itself.
func (t *Tokens) issue(record booking.RefreshToken, now time.Time) (issued IssuedTokens, err error) {
	access := newClaims(kindAccess, uuid.New(), record.User, now, now.Add(t.accessTTL))
	refresh := newClaims(kindRefresh, record.ID, record.User, record.IssuedAt, record.ExpiresAt.Add(-Leeway))
	refresh.Family = record.Family
	if issued.Access, err = t.sign(access); err != nil {
		return IssuedTokens{}, err
	}
	if issued.Refresh, err = t.sign(refresh); err != nil {
		return IssuedTokens{}, err
	}
	return issued, nil
}

func (t *Tokens) sign(c claims) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, c)
	keys := t.keys.Load()
	token.Header["kid"] = keys.signing
	text, err := token.SignedString(keys.byKid[keys.signing])
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return text, nil
}

// remembered returns the claims of an access token that is remembered as verified and is valid at now.
func (t *Tokens) remembered(text string, now time.Time) (claims, bool) {
	c, found := t.keys.Load().verified.GetIfPresent(text)
	return c, found && c.valid(kindAccess, now) && !c.expired(now)
}

// parse returns the claims of a token of this kind that is valid at now. Error:
// unauthenticated, without a cause, so that no part of a token is logged.
func (t *Tokens) parse(text, kind string, now time.Time) (claims, error) {
	c, err := t.parseExpired(text, kind, now)
	if err == nil && c.expired(now) {
		return claims{}, Unauthenticated()
	}
	return c, err
}

// parseExpired is parse for a token that may have expired.
func (t *Tokens) parseExpired(text, kind string, now time.Time) (claims, error) {
	c, ok := t.verify(text, now)
	if !ok || !c.valid(kind, now) {
		return claims{}, Unauthenticated()
	}
	return c, nil
}

// verify returns the claims of a token with the right syntax and signature. It rejects line breaks,
// which even the strict base64 decoder ignores, so that a token has only one spelling.
func (t *Tokens) verify(text string, now time.Time) (claims, bool) {
	if len(text) > maxToken || strings.ContainsAny(text, "\r\n") {
		return claims{}, false
	}
	keys := t.keys.Load()
	if c, found := keys.verified.GetIfPresent(text); found {
		if c.expired(now) {
			keys.verified.Invalidate(text)
		}
		return c, true
	}
	var c claims
	if _, err := t.parser.ParseWithClaims(text, &c, keys.of); err != nil {
		return claims{}, false
	}
	if c.valid(kindAccess, now) && !c.expired(now) {
		keys.verified.Set(text, c)
	}
	return c, true
}

// of returns the key with the kid of the header. It parses the header again, because the
// JWT parser accepts duplicate members and ignores unknown ones such as crit, which must be
// understood (RFC 7515, 4.1.11).
func (k *keySet) of(token *jwt.Token) (any, error) {
	part, _, _ := strings.Cut(token.Raw, ".")
	header, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, errMalformed
	}
	kid, err := parseHeader(header)
	if err != nil {
		return nil, err
	}
	key, known := k.byKid[kid]
	if !known {
		return nil, errMalformed
	}
	return key, nil
}
