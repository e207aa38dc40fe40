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
	// keyLife is how long the first answer is kept.
	keyLife = 24 * time.Hour
	maxKey  = 255

	// saveTime is what is allowed for keeping an answer after the request's own time is
	// over or its client is gone.
	saveTime = 2 * time.Second
)

// machine is the user under whom the keys of the service token are kept.
var machine = uuid.MustParse("6c1c4f2e-0000-5000-8000-7472a1ad3141")

// once acts at most once for the same user, Idempotency-Key and request, and gives the
// first answer again. Requests with one key wait for one another. Errors:
// invalid_request for a key that is none, idempotency_key_reused, those of the store
// and of act.
//
// Between acting and keeping the answer this process may die. Then nothing is kept and
// a retry acts again; c.once, from which handlers derive the ids of what they make, lets
// it find what is there.
func (s *Server) once(ctx context.Context, c *call, r *http.Request, body []byte, act action) (answer, error) {
	key, given, err := idempotencyKey(r.Header)
	if err != nil || !given {
		if err != nil {
			return answer{}, err
		}
		return act(ctx, c)
	}
	owner := c.caller.User
	if c.caller.Machine {
		owner = machine
	}
	unlock, err := s.keys.lock(ctx, keyID{owner, key})
	if err != nil {
		return answer{}, err
	}
	defer unlock()

	hash := hashOf(r, body)
	kept, err := s.replies.FindReply(ctx, owner, key, s.now())
	switch {
	case booking.CodeOf(err) == booking.CodeNotFound:
	case err != nil:
		return answer{}, err
	case kept.RequestHash != hash:
		return answer{}, &booking.Error{Code: booking.CodeKeyReused}
	default:
		return replay(kept), nil
	}
	c.once = strings.Join([]string{owner.String(), hex.EncodeToString(hash[:]), key}, " ")
	a, err := act(ctx, c)
	s.keep(ctx, keyID{owner, key}, hash, a, err)
	return a, err
}

// keep saves the answer, if it is one that would be given again. It never fails the
// request, which is done: a retry will act again and find what is there.
func (s *Server) keep(ctx context.Context, id keyID, hash [sha256.Size]byte, a answer, err error) {
	t := traceOf(ctx)
	if err != nil {
		a = problemOf(err, t.requestID)
	}
	switch {
	case a.status >= 500, a.status == http.StatusBadRequest, a.status == http.StatusTooManyRequests:
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	now := s.now()
	reply := booking.Reply{
		RequestHash: hash, Status: a.status, Location: a.header.Get("Location"),
		Body: a.body, ExpiresAt: now.Add(keyLife).UTC(),
	}
	if err := s.replies.SaveReply(ctx, id.user, id.key, reply, now); err != nil {
		s.logger.WarnContext(ctx, "the answer to an Idempotency-Key was not kept",
			"request_id", t.requestID, "error", err)
	}
}

func replay(kept booking.Reply) answer {
	header := http.Header{}
	if kept.Location != "" {
		header.Set("Location", kept.Location)
	}
	if kept.Status >= http.StatusBadRequest {
		header.Set("Content-Type", "application/problem+json")
	}
	return answer{status: kept.Status, header: header, body: kept.Body}
}

// hashOf is the same for the same request: its method, its path, with or without a
// slash at the end, and its body, byte for byte.
func hashOf(r *http.Request, body []byte) [sha256.Size]byte {
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

// keyID is a key of a user.
type keyID struct {
	user uuid.UUID
	key  string
}

// keyLocks lets one request at a time through for each key. It remembers the keys that
// are in use and no others. The zero value is ready; safe for concurrent use.
type keyLocks struct {
	mu    sync.Mutex
	inUse map[keyID]*keyLock
}

type keyLock struct {
	turn  chan struct{} // holds one token while nobody has the lock
	users int           // that have it or wait for it
}

// lock waits for its turn. The error is that of ctx, if it ends first: nothing was
// executed.
func (l *keyLocks) lock(ctx context.Context, id keyID) (unlock func(), err error) {
	k := l.enter(id)
	select {
	case <-k.turn:
		return func() {
			k.turn <- struct{}{}
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
		k = &keyLock{turn: make(chan struct{}, 1)}
		k.turn <- struct{}{}
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
