package main

import (
	"bytes"
	"os"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
)

// tokens checks access tokens. Its parser is made once.
type tokens struct {
	key    []byte
	parser *jwt.Parser
}

// claims are those that are used.
type claims struct {
	jwt.RegisteredClaims

	Kind string    `json:"token_type"`
	User uuid.UUID `json:"user_id"`
}

func newTokens(secretFile string) (*tokens, error) {
	key, err := os.ReadFile(secretFile)
	if err != nil {
		return nil, err
	}
	return &tokens{
		key: bytes.TrimSpace(key),
		parser: jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer("trainbooking"),
			jwt.WithAudience("trainbooking"), jwt.WithExpirationRequired()),
	}, nil
}

// user returns the user whose token the request has. Error: 401.
func (t *tokens) user(c echo.Context) (uuid.UUID, error) {
	text, ok := strings.CutPrefix(c.Request().Header.Get(echo.HeaderAuthorization), "Bearer ")
	if !ok {
		return uuid.Nil, echo.ErrUnauthorized
	}
	var found claims
	_, err := t.parser.ParseWithClaims(text, &found, func(*jwt.Token) (any, error) { return t.key, nil })
	if err != nil || found.Kind != "access" {
		return uuid.Nil, echo.ErrUnauthorized
	}
	return found.User, nil
}
