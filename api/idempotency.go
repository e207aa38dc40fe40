package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

const (
	replyTTL = 24 * time.Hour // how long a key belongs to its request
	maxKey   = 255

	// inFlightTime is for how long an attempt that has not ended keeps others waiting. Then they run
	// beside it, which is safe, because they find what it does: its process may have died.
	inFlightTime = time.Second

	// saveTimeout limits storing a reply, which starts even after the request has timed out.
	saveTimeout = 2 * time.Second
)

// machineUser is the user id for the keys of callers with a service token.
var machineUser = uuid.MustParse("6c1c4f2e-0000-5000-8000-7472a1ad3141")

// idempotent runs act for at most one request at a time of those with the same user and
// Idempotency-Key, in all processes, and returns its reply to later ones. A key belongs to the
// first request that reserves it; others get idempotency_key_reused. Errors: invalid_request for
// a malformed key; unavailable while an earlier attempt is in flight; those of the store and of act.
//
// Only a success is final. After an error, or if the process dies before the reply is stored, a
// retry runs act again. Handlers derive the ids of what they create from c.seed, which is the same
// for all attempts, so the retry finds what an earlier one created.
func (s *Server) idempotent(ctx context.Context, c *call, r *http.Request, body []byte, act action) (response, error) {
	key, given, err := idempotencyKey(r.Header)
	if err != nil {
		return response{}, err
	}
	if !given {
		return act(ctx, c)
	}
	owner := c.caller.User
	if c.caller.Machine {
		owner = machineUser
	}
	now := s.now().UTC().Truncate(time.Microsecond)
	wanted := booking.Reservation{
		ID: uuid.New(), RequestHash: requestHash(r, body),
		Until: now.Add(inFlightTime), ExpiresAt: now.Add(replyTTL),
	}
	reserved, err := s.replies.ReserveKey(ctx, owner, key, wanted, now)
	switch {
	case err != nil:
		return response{}, notExecuted(err)
	case reserved.RequestHash != wanted.RequestHash:
		return response{}, &booking.Error{Code: booking.CodeKeyReused}
	case reserved.Reply != nil:
		return replay(*reserved.Reply), nil
	case reserved.ID != wanted.ID:
		return response{}, booking.Unavailable(booking.OutcomeNotExecuted, time.Second, errInFlight)
	}
	// ExpiresAt tells the uses of a key apart, if it is used again later.
	c.seed = fmt.Sprintf("%s %x %d %s", owner, reserved.RequestHash, reserved.ExpiresAt.UnixMicro(), key)
	resp, err := act(ctx, c)
	if err == nil {
		s.releaseKey(ctx, owner, key, wanted.ID, &booking.Reply{
			Status: resp.status, Location: resp.header.Get("Location"), Body: resp.body,
		})
	} else if ctx.Err() == nil { // otherwise the reservation is about to end
		s.releaseKey(ctx, owner, key, wanted.ID, nil)
	}
	return resp, err
}

var errInFlight = errors.New("an earlier request with the Idempotency-Key is in flight")

// notExecuted returns the error of a reservation. Its outcome may be unknown, but that of the
// request is not.
func notExecuted(err error) error {
	if e := asError(err); e.Outcome == booking.OutcomeUnknown {
		return booking.Unavailable(booking.OutcomeNotExecuted, time.Second, err)
	}
	return err
}

// releaseKey ends an attempt. If it fails, retries are unavailable until the reservation ends, and
// then run the request again.
func (s *Server) releaseKey(ctx context.Context, owner uuid.UUID, key string, attempt uuid.UUID, reply *booking.Reply) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	if err := s.replies.ReleaseKey(ctx, owner, key, attempt, reply); err != nil {
		s.logger.WarnContext(ctx, "could not store the reply for an Idempotency-Key",
			"request_id", recordOf(ctx).id, "error", err)
	}
}

func replay(reply booking.Reply) response {
	header := http.Header{}
	if reply.Location != "" {
		header.Set("Location", reply.Location)
	}
	return response{status: reply.Status, header: header, body: reply.Body}
}

// requestHash hashes the method, the path without a trailing slash, and the exact bytes of
// the body.
func requestHash(r *http.Request, body []byte) [sha256.Size]byte {
	path := strings.TrimSuffix(r.URL.Path, "/")
	return sha256.Sum256(append([]byte(r.Method+" "+path+"\n"), body...))
}

func idempotencyKey(header http.Header) (key string, given bool, err error) {
	values := header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", false, nil
	}
	key = values[0]
	printable := !strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' })
	if len(values) > 1 || key == "" || len(key) > maxKey || !printable {
		return "", true, booking.InvalidField("Idempotency-Key", "must be 1 to 255 printable ASCII characters, given once")
	}
	return key, true, nil
}
