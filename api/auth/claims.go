package auth

import (
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// The fixed values of headers and claims.
const (
	algorithm   = "HS256"
	issuer      = "trainbooking"
	audience    = "trainbooking"
	kindAccess  = "access"
	kindRefresh = "refresh"
)

// claims are the claims of a token. The times are whole seconds.
type claims struct {
	jwt.RegisteredClaims

	ID     uuid.UUID `json:"jti"` // shadows the embedded ID
	Kind   string    `json:"token_type"`
	User   uuid.UUID `json:"user_id"`
	Family uuid.UUID `json:"family,omitzero"` // of refresh tokens
}

func newClaims(kind string, id, user uuid.UUID, issued, expires time.Time) claims {
	return claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Audience: jwt.ClaimStrings{audience},
			IssuedAt: jwt.NewNumericDate(issued), ExpiresAt: jwt.NewNumericDate(expires),
		},
		ID: id, Kind: kind, User: user,
	}
}

// UnmarshalJSON parses claims by their exact names and types: a duplicate claim, EXP for
// exp, and "1" for 1 are errors. It ignores unknown claims (RFC 7519, 4).
func (c *claims) UnmarshalJSON(text []byte) error {
	o := parseObject(text)
	c.Kind = o.string("token_type")
	c.User = o.id("user_id")
	c.ID = o.id("jti")
	c.Issuer = o.string("iss")
	c.Audience = o.audience("aud")
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

// valid reports whether the claims are those of an issued token of this kind that may be
// used at now or has expired. It compares Kind first: if the payload was null, Kind is
// empty and the times are nil.
func (c *claims) valid(kind string, now time.Time) bool {
	latest := now.Add(Leeway)
	return c.Kind == kind &&
		c.Issuer == issuer && slices.Contains(c.Audience, audience) &&
		!c.IssuedAt.After(latest) &&
		(c.NotBefore == nil || !c.NotBefore.After(latest)) &&
		c.ExpiresAt.After(c.IssuedAt.Time) && c.ExpiresAt.Sub(c.IssuedAt.Time) <= MaxTTL
}

// expired reports whether the token has expired at now, with the leeway.
func (c *claims) expired(now time.Time) bool { return !now.Before(c.ExpiresAt.Add(Leeway)) }
