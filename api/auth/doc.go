// Package auth manages accounts: it registers users, verifies passwords, issues and
// validates tokens, and limits failed logins (API.md, parts 1 and 3). It does not depend
// on HTTP; package api has the handlers.
//
// # Tokens
//
// A login returns an access token, which the client sends with every request, and a
// refresh token, which it exchanges for new tokens. The refresh tokens that descend from
// one login are a family. The store has the state of each:
//
//	         Login           Refresh
//	(none) ────────▶ live ─────────────▶ used
//	                  │                    │ Refresh again after 10 s, or when the
//	                  │                    │ next one is used: the token was copied
//	                  │ Logout,            ▼
//	                  │ ChangePassword   the whole family is revoked
//	                  └───────────────▶ revoked
//
// All tokens of a user who is disabled or deleted are revoked.
//
// Access tokens have no state and cannot be revoked. They expire.
//
// # Failure
//
// An error that a client can cause is a *booking.Error. Any other error is internal. No
// error of this package contains a password, a hash, a token or a key. The package does
// not log.
package auth
