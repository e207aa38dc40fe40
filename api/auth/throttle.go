package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"trainbooking.dev/booking"
)

const (
	// DefaultLoginFailures is the maximum number of wrong passwords per minute for one
	// account and address.
	DefaultLoginFailures = 10
	// DefaultRegistrations is the maximum number of registrations per hour from one address. It is
	// enough for a household or a small office behind one address.
	DefaultRegistrations = 20
)

// Throttle limits attempts by account and address, or by address alone. It is safe for
// concurrent use.
//
// An attempt under way takes the place of one that counts until it ends, so that concurrent
// attempts cannot exceed the limit. If only attempts under way fill the limit, a new one waits for
// them, so that a user with many devices is not rejected.
//
// If processes share the count, an attempt begins in this process and then in all. While the store
// of the shared count fails, the process continues with its own count: nobody is locked out, and
// nobody has more attempts than the limit for each process.
type Throttle struct {
	options ThrottleOptions
	limit   booking.AttemptLimit
	name    string // begins the keys
	message string // of rate_limited
	local   *LocalAttempts
}

// ThrottleOptions configure a Throttle.
type ThrottleOptions struct {
	Limit  int              // 0: no limit
	Shared booking.Attempts // counts for all processes; nil: this one is alone
	Logger *slog.Logger     // nil: discard
}

// NewLoginThrottle returns a Throttle that allows Limit wrong passwords per minute for one account
// and address.
func NewLoginThrottle(o ThrottleOptions) *Throttle {
	return newThrottle(o, "login", time.Minute, "Too many wrong passwords, try again later")
}

// NewRegistrationThrottle returns a Throttle that allows Limit registrations per hour from one
// address.
func NewRegistrationThrottle(o ThrottleOptions) *Throttle {
	return newThrottle(o, "registration", time.Hour, "Too many registrations from this address, try again later")
}

func newThrottle(o ThrottleOptions, name string, window time.Duration, message string) *Throttle {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Throttle{
		options: o, limit: booking.AttemptLimit{Max: o.Limit, Window: window},
		name: name, message: message, local: NewLocalAttempts(),
	}
}

// Try runs attempt, which reports whether it counts, unless too many have counted. account is a
// username, which need not exist and whose case is ignored, or "" if only the address matters;
// address is an IP address. An attempt that panics counts. A nil Throttle always runs attempt.
// Errors: rate_limited with RetryAfter; unavailable if ctx ends before the attempt begins; those of
// attempt.
func (t *Throttle) Try(ctx context.Context, account, address string, attempt func() (counts bool, err error)) error {
	if t == nil || t.limit.Max <= 0 {
		_, err := attempt()
		return err
	}
	end, err := t.begin(ctx, keyOf(t.name, account, address))
	if err != nil {
		return err
	}
	counts := true // also when attempt panics
	defer func() { end(counts) }()
	counts, err = attempt()
	return err
}

// begin begins an attempt here and, if the count is shared, there. A refusal by the own count needs
// no call: what counts here has counted there.
func (t *Throttle) begin(ctx context.Context, key string) (end func(counts bool), err error) {
	endHere, err := t.local.BeginAttempt(ctx, key, t.limit)
	if err != nil {
		return nil, t.refusal(err)
	}
	here := func(counts bool) { _ = endHere(counts) } // never fails
	if t.options.Shared == nil {
		return here, nil
	}
	endThere, err := t.options.Shared.BeginAttempt(ctx, key, t.limit)
	switch _, refused := errors.AsType[*booking.Error](err); {
	case refused:
		here(false)
		return nil, t.refusal(err)
	case err != nil && ctx.Err() != nil:
		here(false)
		return nil, booking.Unavailable(booking.OutcomeNotExecuted, time.Second, ctx.Err())
	case err != nil:
		t.warn(err)
		return here, nil
	}
	return func(counts bool) {
		if err := endThere(counts); err != nil {
			t.warn(err)
		}
		here(counts)
	}, nil
}

// refusal gives rate_limited the message of the Throttle.
func (t *Throttle) refusal(err error) error {
	if e, ok := errors.AsType[*booking.Error](err); ok && e.Code == booking.CodeRateLimited {
		limited := *e
		limited.Message = t.message
		return &limited
	}
	return err
}

func (t *Throttle) warn(err error) {
	t.options.Logger.Warn("attempts are counted by this process alone", "of", t.name, "error", err)
}

// keyOf returns a hash, so that a long username needs no more memory than a short one, and a store
// of attempts has no names or addresses.
func keyOf(name, account, address string) string {
	hash := sha256.Sum256([]byte(booking.Fold(account) + "\x00" + network(address)))
	return name + ":" + base64.RawURLEncoding.EncodeToString(hash[:])
}

// network returns the range of addresses that one client may use: the /64 of an IPv6
// address, and an IPv4 address itself.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, _ := ip.Prefix(64) // cannot fail for an IPv6 address
	return prefix.String()
}
