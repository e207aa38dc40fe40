package auth

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Pair is what a login or a refresh gives the client. It prints and logs as nothing.
type Pair struct {
	Access  string
	Refresh string
}

// Format keeps the tokens out of whatever prints a Pair, with any verb.
func (Pair) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "pair of tokens") }

// LogValue keeps the tokens out of the log.
func (Pair) LogValue() slog.Value { return slog.StringValue("pair of tokens") }

// Refresh spends a refresh token and returns the next pair of its family. It is not
// idempotent: the same token a second time revokes the family, for then somebody has
// a copy. Error: unauthenticated.
func (a *Accounts) Refresh(ctx context.Context, refresh string) (Pair, error) {
	now := time.Now()
	spent, err := a.Tokens.read(refresh, kindRefresh, now)
	if err != nil {
		return Pair{}, err
	}
	pair, next, err := a.Tokens.issue(spent.User, spent.Family, now)
	if err != nil {
		return Pair{}, err
	}
	err = a.Users.RotateRefreshToken(ctx, spent.ID, next, now.UTC())
	if booking.CodeOf(err) == booking.CodeUnauthenticated {
		return Pair{}, Unauthenticated()
	}
	if err != nil {
		return Pair{}, fmt.Errorf("rotate refresh token: %w", err)
	}
	return pair, nil
}

// Logout revokes the family of a refresh token of user. It is idempotent: a genuine
// token that is spent, revoked or expired is as good. Error: unauthenticated for a
// token that is not genuine, no refresh token, or another user's, whose family stays
// as it is.
func (a *Accounts) Logout(ctx context.Context, user uuid.UUID, refresh string) error {
	token, err := a.Tokens.readEnded(refresh, kindRefresh, time.Now())
	if err != nil {
		return err
	}
	if token.User != user {
		return Unauthenticated()
	}
	if err := a.Users.RevokeFamily(ctx, user, token.Family); err != nil {
		return fmt.Errorf("revoke family: %w", err)
	}
	return nil
}
