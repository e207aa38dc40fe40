package auth

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// IssuedTokens are the tokens that a login or a refresh returns. Printing or logging them
// does not reveal them.
type IssuedTokens struct {
	Access  string
	Refresh string
}

// Format prints no token, for every verb.
func (IssuedTokens) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "issued tokens") }

// LogValue returns no token.
func (IssuedTokens) LogValue() slog.Value { return slog.StringValue("issued tokens") }

// Refresh exchanges a refresh token for the next tokens of its family. Within
// booking.RefreshGrace it may be repeated, as after a lost reply or in two tabs, and returns the same
// refresh token, unless that has been used by then. Using a token again later revokes the family,
// because the token may have been stolen. Error: unauthenticated.
func (a *Accounts) Refresh(ctx context.Context, refresh string) (IssuedTokens, error) {
	now := time.Now()
	used, err := a.Tokens.parse(refresh, kindRefresh, now)
	if err != nil {
		return IssuedTokens{}, err
	}
	next, err := a.Users.RotateRefreshToken(ctx, used.ID, a.Tokens.newRefresh(used.User, used.Family, now))
	if booking.CodeOf(err) == booking.CodeUnauthenticated {
		return IssuedTokens{}, Unauthenticated()
	}
	if err != nil {
		return IssuedTokens{}, fmt.Errorf("rotate refresh token: %w", err)
	}
	return a.Tokens.issue(next, now)
}

// Logout revokes the family of a refresh token of user. It is idempotent: the token may be
// used, revoked or expired. Error: unauthenticated for a forged token, an access token, or
// a token of another user.
func (a *Accounts) Logout(ctx context.Context, user uuid.UUID, refresh string) error {
	token, err := a.Tokens.parseExpired(refresh, kindRefresh, time.Now())
	if err != nil {
		return err
	}
	if token.User != user {
		return Unauthenticated()
	}
	return a.revoke(ctx, token)
}

// LogoutByToken is Logout without an access token: the refresh token identifies the user.
func (a *Accounts) LogoutByToken(ctx context.Context, refresh string) error {
	token, err := a.Tokens.parseExpired(refresh, kindRefresh, time.Now())
	if err != nil {
		return err
	}
	return a.revoke(ctx, token)
}

func (a *Accounts) revoke(ctx context.Context, token claims) error {
	if err := a.Users.RevokeFamily(ctx, token.User, token.Family); err != nil {
		return fmt.Errorf("revoke family: %w", err)
	}
	return nil
}
