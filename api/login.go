package api

import (
	"context"

	"github.com/google/uuid"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

type loginRequest struct {
	username, password string
	cookie             bool // the refresh token goes into the cookie
}

func (in *loginRequest) decode(d *decoder) {
	in.username = d.string("username")
	in.password = d.string("password")
	in.cookie = d.bool("cookie", false)
}

type tokensResponse struct {
	Refresh string `json:"refresh,omitempty"` // empty if it is in the cookie
	Access  string `json:"access"`
}

// tokensInCookie returns the tokens, and puts the refresh token into the cookie.
func (s *Server) tokensInCookie(c *call, tokens auth.IssuedTokens) tokensResponse {
	c.cookie.set(tokens.Refresh, s.accounts.Tokens.RefreshTTL())
	return tokensResponse{Access: tokens.Access}
}

func (s *Server) login(ctx context.Context, c *call, in loginRequest) (response, error) {
	if in.cookie {
		if err := c.cookie.checkOrigin(); err != nil {
			return response{}, err
		}
	}
	tokens, err := s.accounts.Login(ctx, in.username, in.password, c.address)
	if err != nil {
		return response{}, err
	}
	issued := tokensResponse{tokens.Refresh, tokens.Access}
	if in.cookie {
		issued = s.tokensInCookie(c, tokens)
	}
	return ok(struct {
		Token   tokensResponse `json:"token"`
		Message string         `json:"msg"`
	}{issued, "Login successful"}), nil
}

// refreshRequest has a refresh token. Without one, the request uses the one in the cookie.
type refreshRequest struct {
	token string
	given bool
}

func (in *refreshRequest) decode(d *decoder) {
	d.query = nil // a token in a URL would be logged
	in.token, in.given = d.optionalString("refresh")
}

func (s *Server) refresh(ctx context.Context, c *call, in refreshRequest) (response, error) {
	if !in.given {
		return s.refreshCookie(ctx, c)
	}
	tokens, err := s.accounts.Refresh(ctx, in.token)
	if err != nil {
		return response{}, err
	}
	return ok(tokensResponse{tokens.Refresh, tokens.Access}), nil
}

func (s *Server) refreshCookie(ctx context.Context, c *call) (response, error) {
	var tokens auth.IssuedTokens
	err := c.cookie.use(func(token string) (err error) {
		tokens, err = s.accounts.Refresh(ctx, token)
		return err
	})
	if err != nil {
		return response{}, err
	}
	return ok(s.tokensInCookie(c, tokens)), nil
}

func (s *Server) logout(ctx context.Context, c *call, in refreshRequest) (response, error) {
	if !in.given {
		return s.logoutCookie(ctx, c)
	}
	if c.caller.User == uuid.Nil { // authorize saw only the cookie, which need not be of the same user as this token
		return response{}, auth.Unauthenticated()
	}
	if err := s.accounts.Logout(ctx, c.caller.User, in.token); err != nil {
		return response{}, err
	}
	return ok(message{"Logged out"}), nil
}

// logoutCookie needs no access token, because that of a page may have expired.
func (s *Server) logoutCookie(ctx context.Context, c *call) (response, error) {
	if !c.cookie.exists() {
		return response{}, booking.InvalidField("refresh", "is required without the cookie")
	}
	err := c.cookie.use(func(token string) error { return s.accounts.LogoutByToken(ctx, token) })
	if err != nil {
		return response{}, err
	}
	c.cookie.remove()
	return ok(message{"Logged out"}), nil
}
