package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost has the parameters of argon2id: memory, passes over it, and lanes.
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
	Lanes     uint8
}

// The bounds of a stored hash: a corrupt row must not make a login use all memory. The
// minimums are those of RFC 9106, 3.1.
const (
	maxMemoryKiB = 256 * 1024
	maxPasses    = 16
	maxLanes     = 16
	minSaltBytes = 8
	minKeyBytes  = 16
	maxPartBytes = 64 // of salt and of key
)

// errMalformedHash has no details, because they could reveal a part of the hash.
var errMalformedHash = errors.New("the stored hash is not an argon2id PHC string within bounds")

func (c Cost) validate() error {
	if c.Passes < 1 || c.Passes > maxPasses || c.Lanes < 1 || c.Lanes > maxLanes ||
		c.MemoryKiB < 8*uint32(c.Lanes) || c.MemoryKiB > maxMemoryKiB {
		return fmt.Errorf("argon2id needs 8 KiB per lane to %d KiB, 1 to %d passes and 1 to %d lanes, not %d, %d and %d",
			maxMemoryKiB, maxPasses, maxLanes, c.MemoryKiB, c.Passes, c.Lanes)
	}
	return nil
}

// phc is a hash with its parameters, formatted as
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

// parsePHC parses the output of String and rejects any other spelling. Error:
// errMalformedHash.
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
