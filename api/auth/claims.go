package auth

import (
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// What the header and the claims of our tokens say.
const (
	algorithm   = "HS256"
	issuer      = "trainbooking"
	audience    = "trainbooking"
	kindAccess  = "access"
	kindRefresh = "refresh"
)

// claims are the claims of a token. Its times are whole seconds.
type claims struct {
	jwt.RegisteredClaims

	ID     uuid.UUID `json:"jti"` // in place of the embedded one
	Kind   string    `json:"token_type"`
	User   uuid.UUID `json:"user_id"`
	Family uuid.UUID `json:"family,omitzero"` // refresh tokens alone have one
}

func newClaims(kind string, user uuid.UUID, now time.Time, ttl time.Duration) claims {
	return claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Audience: jwt.ClaimStrings{audience},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
		},
		ID: uuid.New(), Kind: kind, User: user,
	}
}

// UnmarshalJSON reads claims by their exact names and in their exact types: a claim
// that is there twice, EXP beside exp, or "1" for 1 is an error. Claims of other
// names are passed over (RFC 7519, 4).
func (c *claims) UnmarshalJSON(text []byte) error {
	o := readObject(text)
	c.Kind = o.text("token_type")
	c.User = o.id("user_id")
	c.ID = o.id("jti")
	c.Issuer = o.text("iss")
	c.Audience = o.texts("aud")
	c.IssuedAt = o.time("iat")
	c.ExpiresAt = o.time("exp")
	if o.has("nbf") {
		c.NotBefore = o.time("nbf")
	}
	if o.has("family") || c.Kind == kindRefresh {
		c.Family = o.id("family")
	}
	return o.err
}

// genuine reports whether the claims are those of a token of that kind that we issued
// and that began before now. Kind is looked at first: it is empty, and the times are
// nil, when the payload was null and so nothing was read.
func (c *claims) genuine(kind string, now time.Time) bool {
	latest := now.Add(Leeway)
	return c.Kind == kind &&
		c.Issuer == issuer && slices.Contains(c.Audience, audience) &&
		!c.IssuedAt.After(latest) &&
		(c.NotBefore == nil || !c.NotBefore.After(latest)) &&
		c.ExpiresAt.After(c.IssuedAt.Time) && c.ExpiresAt.Sub(c.IssuedAt.Time) <= MaxTTL
}

// ended reports whether the token is over at now, the leeway granted.
func (c *claims) ended(now time.Time) bool { return !now.Before(c.ExpiresAt.Add(Leeway)) }
