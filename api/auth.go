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
	anyone     role = iota // the token is not checked
	user                   // any user, but not a machine with a service token
	admin                  // a user who is an admin
	trainAdmin             // an admin, or a machine with a service token
	userOrPage             // a user; or a page that has no token but the cookie, which the handler checks
)

// authorize returns the caller of the request. Errors: unauthenticated, forbidden. It reads
// the admin role from the store for each request, because tokens do not contain it.
func (s *Server) authorize(r *http.Request, required role) (auth.Identity, error) {
	if required == anyone {
		return auth.Identity{}, nil
	}
	if required == userOrPage && len(r.Header["Authorization"]) == 0 && (cookie{request: r}).exists() {
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
	allowed, err := s.allowed(r.Context(), caller, required)
	if err == nil && !allowed {
		err = &booking.Error{Code: booking.CodeForbidden, Message: "Your role does not allow this"}
	}
	return caller, err
}

func (s *Server) allowed(ctx context.Context, caller auth.Identity, required role) (bool, error) {
	switch {
	case caller.Machine:
		return required == trainAdmin, nil
	case required == user, required == userOrPage:
		return true, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout) // as in serve
	defer cancel()
	return s.accounts.IsAdmin(ctx, caller.User)
}

// bearer returns the token of the Authorization header. It rejects a request with two such
// headers, because a proxy may have checked the other one.
func bearer(header http.Header) (token string, ok bool) {
	values := header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	return token, ok && strings.EqualFold(scheme, "Bearer")
}
