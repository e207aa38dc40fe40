package auth

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"sync/atomic"
)

// minSecret is the minimum length of a signing key and of a service token in bytes: the
// length of the hash of HS256 (RFC 7518, 3.2).
const minSecret = 32

// secretHint ends the error messages about secrets. 48 bytes are 64 characters of base64,
// the longest line that openssl writes.
const secretHint = "make one with: openssl rand -base64 48"

// ParseSecret parses a file with one signing key per line. The first key signs. A key is
// the text of its line without surrounding space. Empty lines are ignored. The error names
// the line and how to make a key, but does not contain the line.
func ParseSecret(contents []byte) ([][]byte, error) {
	var keys [][]byte
	for i, line := range bytes.Split(contents, []byte("\n")) {
		key := bytes.TrimSpace(line)
		if len(key) == 0 {
			continue
		}
		if err := checkLength(key); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		keys = append(keys, bytes.Clone(key))
	}
	if len(keys) == 0 {
		return nil, errors.New("the file has no secret; " + secretHint)
	}
	return keys, nil
}

func checkLength(secret []byte) error {
	if len(secret) < minSecret {
		return fmt.Errorf("a secret of %d characters is too short, the minimum is %d; %s",
			len(secret), minSecret, secretHint)
	}
	return nil
}

// ServiceTokens are the bearer tokens of machines, of which only the hashes are stored. It is safe
// for concurrent use.
type ServiceTokens struct {
	hashes atomic.Pointer[[][sha256.Size]byte]
}

// ParseServiceTokens returns the tokens of a file, as Parse.
func ParseServiceTokens(contents []byte) (*ServiceTokens, error) {
	s := &ServiceTokens{}
	err := s.Parse(contents)
	return s, err
}

// Parse replaces the tokens with those of a file that has one per line, each with at least 32
// printable ASCII characters and no space. All of them are valid, so that a new token can be
// distributed before the old one is removed. It returns the errors of ParseSecret, and one for a
// token with another character; the previous tokens then stay in use.
func (s *ServiceTokens) Parse(contents []byte) error {
	tokens, err := ParseSecret(contents)
	if err != nil {
		return err
	}
	hashes := make([][sha256.Size]byte, len(tokens))
	for i, token := range tokens {
		if bytes.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fmt.Errorf("token %d has a character that HTTP headers cannot contain; %s", i+1, secretHint)
		}
		hashes[i] = sha256.Sum256(token)
	}
	s.hashes.Store(&hashes)
	return nil
}

// Len returns the number of tokens.
func (s *ServiceTokens) Len() int {
	if hashes := s.hashes.Load(); hashes != nil {
		return len(*hashes)
	}
	return 0
}

// hashOf returns the SHA-256 of a token. It allocates nothing for a token of the usual length, as
// []byte(token) would.
func hashOf(token string) [sha256.Size]byte {
	var usual [maxToken]byte
	if len(token) > len(usual) {
		return sha256.Sum256([]byte(token))
	}
	return sha256.Sum256(usual[:copy(usual[:], token)])
}

// Match reports whether token is one of the service tokens. It compares in constant time.
// A nil *ServiceTokens matches nothing.
func (s *ServiceTokens) Match(token string) bool {
	if s == nil {
		return false
	}
	hashes := s.hashes.Load()
	if hashes == nil {
		return false
	}
	hash, found := hashOf(token), 0
	for i := range *hashes {
		found |= subtle.ConstantTimeCompare(hash[:], (*hashes)[i][:])
	}
	return found == 1
}
