package api

import (
	"context"
	"net/http"
	"strings"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

// role is who may call an endpoint (API.md 3).
type role int

const (
	anyone     role = iota // also with a token that is no good: it is not looked at
	user                   // any user; not the machine, which holds no seats
	admin                  // a user who is an admin
	trainAdmin             // an admin, or the machine with the service token
)

// admit says who sent the request, or why it may not pass: unauthenticated, forbidden.
// Who is an admin is asked of the store each time, as tokens say nothing about it.
func (s *Server) admit(r *http.Request, need role) (auth.Identity, error) {
	if need == anyone {
		return auth.Identity{}, nil
	}
	token, ok := bearer(r.Header)
	if !ok {
		return auth.Identity{}, auth.Unauthenticated()
	}
	caller, err := s.accounts.Identify(token)
	if err != nil {
		return auth.Identity{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.timeout) // as in serve
	defer cancel()
	allowed, err := s.allowed(ctx, caller, need)
	if err == nil && !allowed {
		err = &booking.Error{Code: booking.CodeForbidden}
	}
	return caller, err
}

func (s *Server) allowed(ctx context.Context, caller auth.Identity, need role) (bool, error) {
	switch {
	case caller.Machine:
		return need == trainAdmin, nil
	case need == user:
		return true, nil
	}
	return s.accounts.IsAdmin(ctx, caller.User)
}

// bearer returns the token of the one Authorization header. Two headers are no token:
// a proxy may have looked at the other one.
func bearer(header http.Header) (token string, ok bool) {
	values := header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	return token, ok && strings.EqualFold(scheme, "Bearer")
}
