package auth

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
)

// minSecret is the least length of a signing key and of a service token, in bytes: as
// many as the hash of HS256 has (RFC 7518, 3.2).
const minSecret = 32

// howToMake is the end of every complaint about a secret. 48 bytes are 64 characters of
// base64, the most that openssl writes on one line.
const howToMake = "make one with: openssl rand -base64 48"

// ParseSecret reads a file of signing keys, one on a line, the first of which signs.
// A key is the line itself, spaces around it left out; empty lines are passed over.
// The error says which line is wrong and how to make a better one, and never holds
// the line.
func ParseSecret(contents []byte) ([][]byte, error) {
	var keys [][]byte
	for i, line := range bytes.Split(contents, []byte("\n")) {
		key := bytes.TrimSpace(line)
		if len(key) == 0 {
			continue
		}
		if err := longEnough(key); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		keys = append(keys, bytes.Clone(key))
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no secret in it; " + howToMake)
	}
	return keys, nil
}

func longEnough(secret []byte) error {
	if len(secret) < minSecret {
		return fmt.Errorf("a secret of %d characters is too short, at least %d are needed; %s",
			len(secret), minSecret, howToMake)
	}
	return nil
}

// ServiceTokens are the bearer tokens of machines. Only their hashes are kept.
type ServiceTokens struct {
	hashes [][sha256.Size]byte
}

// ParseServiceTokens reads a file of service tokens, one on a line, each of at least
// 32 printable ASCII characters without a space. All of them are good, so that a new
// one can be spread before the old one is taken out. Error: as ParseSecret.
func ParseServiceTokens(contents []byte) (*ServiceTokens, error) {
	tokens, err := ParseSecret(contents)
	if err != nil {
		return nil, err
	}
	s := &ServiceTokens{}
	for i, token := range tokens {
		if bytes.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, fmt.Errorf("token %d has a character that no header can carry; %s", i+1, howToMake)
		}
		s.hashes = append(s.hashes, sha256.Sum256(token))
	}
	return s, nil
}

// Match reports whether token is one of them, in a time that depends on neither. None
// matches a nil *ServiceTokens.
func (s *ServiceTokens) Match(token string) bool {
	if s == nil {
		return false
	}
	hash, found := sha256.Sum256([]byte(token)), 0
	for i := range s.hashes {
		found |= subtle.ConstantTimeCompare(hash[:], s.hashes[i][:])
	}
	return found == 1
}
