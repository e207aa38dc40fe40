package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost is what one hash costs: memory, passes over it, and lanes that fill it.
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
	Lanes     uint8
}

// The bounds of a hash that is read: a row of the store must not make a login take
// all memory. The lower ones are argon2's own (RFC 9106, 3.1).
const (
	maxMemoryKiB = 256 * 1024
	maxPasses    = 16
	maxLanes     = 16
	minSaltBytes = 8
	minKeyBytes  = 16
	maxPartBytes = 64 // of salt and of key
)

// errMalformedHash does not say more, lest it tell a part of the hash.
var errMalformedHash = errors.New("the stored hash is no argon2id PHC string within bounds")

func (c Cost) validate() error {
	if c.Passes < 1 || c.Passes > maxPasses || c.Lanes < 1 || c.Lanes > maxLanes ||
		c.MemoryKiB < 8*uint32(c.Lanes) || c.MemoryKiB > maxMemoryKiB {
		return fmt.Errorf("argon2id takes 8 KiB a lane to %d KiB, 1 to %d passes and 1 to %d lanes, not %d, %d and %d",
			maxMemoryKiB, maxPasses, maxLanes, c.MemoryKiB, c.Passes, c.Lanes)
	}
	return nil
}

// phc is a hash with all that is needed to compute it again, written as
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<key>
//
// with salt and key in base64 without padding (the PHC string format).
type phc struct {
	cost Cost
	salt []byte
	key  []byte
}

func (h phc) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.cost.MemoryKiB, h.cost.Passes, h.cost.Lanes,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.key))
}

// parsePHC reads what String writes and nothing else: a text that would be written
// differently is refused. Error: errMalformedHash.
func parsePHC(s string) (h phc, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 {
		return phc{}, errMalformedHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.cost.MemoryKiB, &h.cost.Passes, &h.cost.Lanes); err != nil {
		return phc{}, errMalformedHash
	}
	if h.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return phc{}, errMalformedHash
	}
	if h.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil {
		return phc{}, errMalformedHash
	}
	if h.cost.validate() != nil || h.String() != s ||
		len(h.salt) < minSaltBytes || len(h.salt) > maxPartBytes ||
		len(h.key) < minKeyBytes || len(h.key) > maxPartBytes {
		return phc{}, errMalformedHash
	}
	return h, nil
}
