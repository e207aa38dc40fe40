package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

const (
	replyTTL = 24 * time.Hour // how long a reply is stored
	maxKey   = 255

	// saveTimeout limits storing a reply, which starts even after the request has timed out.
	saveTimeout = 2 * time.Second
)

// machineUser is the user id for the keys of callers with a service token.
var machineUser = uuid.MustParse("6c1c4f2e-0000-5000-8000-7472a1ad3141")

// idempotent runs act at most once for the same user, Idempotency-Key and request, and
// returns the stored reply to later requests. Concurrent requests with the same key run
// one after another. Errors: invalid_request for a malformed key, idempotency_key_reused,
// those of the store and of act.
//
// If the process dies after act and before the reply is stored, a retry runs act again.
// Handlers derive the ids of what they create from c.seed, so the retry finds what the
// first request created.
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
	unlock, err := s.keys.lock(ctx, keyID{owner, key})
	if err != nil {
		return response{}, err
	}
	defer unlock()

	hash := requestHash(r, body)
	reply, err := s.replies.FindReply(ctx, owner, key, s.now())
	switch {
	case booking.CodeOf(err) == booking.CodeNotFound:
	case err != nil:
		return response{}, err
	case reply.RequestHash != hash:
		return response{}, &booking.Error{Code: booking.CodeKeyReused}
	default:
		return replay(reply), nil
	}
	c.seed = strings.Join([]string{owner.String(), hex.EncodeToString(hash[:]), key}, " ")
	resp, err := act(ctx, c)
	s.saveReply(ctx, keyID{owner, key}, hash, resp, err)
	return resp, err
}

// saveReply stores the response unless a retry may get a different one. If storing fails,
// the request still succeeds, and a retry runs it again.
func (s *Server) saveReply(ctx context.Context, id keyID, hash [sha256.Size]byte, r response, err error) {
	record := recordOf(ctx)
	if err != nil {
		r = problemOf(err, record.id)
	}
	if r.status >= 500 || r.status == http.StatusBadRequest || r.status == http.StatusTooManyRequests {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	now := s.now()
	reply := booking.Reply{
		RequestHash: hash, Status: r.status, Location: r.header.Get("Location"),
		Body: r.body, ExpiresAt: now.Add(replyTTL).UTC(),
	}
	if err := s.replies.SaveReply(ctx, id.user, id.key, reply, now); err != nil {
		s.logger.WarnContext(ctx, "could not store the reply for an Idempotency-Key",
			"request_id", record.id, "error", err)
	}
}

func replay(reply booking.Reply) response {
	header := http.Header{}
	if reply.Location != "" {
		header.Set("Location", reply.Location)
	}
	if reply.Status >= http.StatusBadRequest {
		header.Set("Content-Type", "application/problem+json")
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

// keyID is an Idempotency-Key of a user.
type keyID struct {
	user uuid.UUID
	key  string
}

// keyLocks has a lock for each key in use. The zero value is ready to use. It is safe for
// concurrent use.
type keyLocks struct {
	mu    sync.Mutex
	inUse map[keyID]*keyLock
}

type keyLock struct {
	free  chan struct{} // contains one element while the lock is free
	users int           // that hold the lock or wait for it
}

// lock waits for the lock of the key. If ctx ends first, it returns unavailable with
// outcome not_executed.
func (l *keyLocks) lock(ctx context.Context, id keyID) (unlock func(), err error) {
	k := l.enter(id)
	select {
	case <-k.free:
		return func() {
			k.free <- struct{}{}
			l.leave(id, k)
		}, nil
	case <-ctx.Done():
		l.leave(id, k)
		return nil, booking.Unavailable(booking.OutcomeNotExecuted, time.Second, ctx.Err())
	}
}

func (l *keyLocks) enter(id keyID) *keyLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.inUse[id]
	if k == nil {
		k = &keyLock{free: make(chan struct{}, 1)}
		k.free <- struct{}{}
		if l.inUse == nil {
			l.inUse = map[keyID]*keyLock{}
		}
		l.inUse[id] = k
	}
	k.users++
	return k
}

func (l *keyLocks) leave(id keyID, k *keyLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.users--; k.users == 0 {
		delete(l.inUse, id)
	}
}
