// Package auth is the service of accounts: it registers users, checks passwords,
// issues and reads tokens, and slows down who guesses (API.md, parts 1 and 3). It
// knows nothing of HTTP; package api puts handlers on top of it.
//
// # Tokens
//
// Logging in makes a pair: an access token, which a client sends with every request,
// and a refresh token, which it exchanges for the next pair. The refresh tokens that
// follow one another are a family, and the store keeps the state of each:
//
//	         Login           Refresh
//	(none) ────────▶ live ─────────────▶ spent
//	                  │                    │ Refresh again: a copy is about
//	                  │ Logout,            ▼
//	                  │ ChangePassword   the whole family is revoked
//	                  └───────────────▶ revoked
//
// Access tokens have no state: they end by themselves.
//
// # Failure
//
// What a client can cause is a *booking.Error. Any other error is internal. No error
// of this package holds a password, a hash, a token or a key, and the package logs
// nothing.
package auth
