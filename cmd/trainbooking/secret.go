package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/config"
)

// secretFile is the name of the generated secret in the data directory.
const secretFile = "jwt-secret"

// secretBytes is more than the 32 bytes that HS256 needs, and needs no padding in base64.
const secretBytes = 48

// signingSecret is what the signing secrets of a file are used for. They are replaced while it is in
// use.
type signingSecret struct {
	tokens *auth.Tokens
	peers  atomic.Pointer[[]string] // see peerTokens
}

// openSecret reads the secrets from --jwt-secret-file. If that is empty, it reads them from the data
// directory, and creates a secret there at the first start, so that tokens survive a restart.
func (s *service) openSecret() (*signingSecret, error) {
	flag, path := "--jwt-secret-file", s.config.JWTSecretFile
	if path == "" {
		flag, path = "the signing secret", filepath.Join(s.config.DataDir, secretFile)
		if err := ensureSecret(path, s.log); err != nil {
			return nil, fmt.Errorf("create a signing secret: %w", err)
		}
	}
	secret := &signingSecret{}
	err := s.files.Watch(flag, func(contents [][]byte) ([]slog.Attr, error) {
		return secret.set(contents[0], s.config)
	}, path)
	return secret, fileError(err, file{flag, path})
}

// set uses the secrets of a file, or none of them after an error. It returns what may be logged.
func (x *signingSecret) set(contents []byte, c *config.Config) ([]slog.Attr, error) {
	keys, err := auth.ParseSecret(contents)
	if err != nil {
		return nil, err
	}
	peers, err := peerTokens(keys)
	if err != nil {
		return nil, err
	}
	if x.tokens == nil {
		x.tokens, err = auth.NewTokens(keys, c.AccessTTL, c.RefreshTTL)
	} else {
		err = x.tokens.SetKeys(keys)
	}
	if err != nil {
		return nil, err
	}
	x.peers.Store(&peers)
	signing, others := x.tokens.KeyIDs()
	return []slog.Attr{slog.String("signs", signing), slog.Any("accepts", others)}, nil
}

// file is the path of a flag.
type file struct{ flag, path string }

// fileError returns the error for files that cannot be used together, nil if err is nil. It names no
// path that cannot be read, since the secret itself may have been given instead.
func fileError(err error, files ...file) error {
	if err == nil {
		return nil
	}
	if unread, ok := errors.AsType[*fs.PathError](err); ok {
		i := max(0, slices.IndexFunc(files, func(f file) bool { return f.path == unread.Path }))
		return usageError{fmt.Errorf("%s: %w", files[i].flag, unread.Err)}
	}
	return usageError{fmt.Errorf("%s %s: %w", files[0].flag, files[0].path, err)}
}

// ensureSecret creates a secret at path if the file does not exist. The caller holds the
// lock of the data directory.
func ensureSecret(path string, log *slog.Logger) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		secret := make([]byte, secretBytes)
		_, _ = rand.Read(secret) // never fails
		err := writeAtomically(path, []byte(base64.StdEncoding.EncodeToString(secret)+"\n"))
		if err == nil {
			log.Info("created a signing secret", "file", path)
		}
		return err
	}
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		log.Warn("others may read the signing secret and could forge tokens: chmod 600",
			"file", path, "mode", info.Mode().Perm().String())
	}
	return nil
}

// writeAtomically creates a file that only its owner may read. After a crash the file is
// complete or missing: it is written to a temporary file, synced and renamed, and the
// directory is synced.
func writeAtomically(path string, contents []byte) error {
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, secretFile+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(contents)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// serviceTokens reads the service tokens, again when they have changed. It returns nil if
// --service-token-file is not set.
func (s *service) serviceTokens() (*auth.ServiceTokens, error) {
	path := s.config.ServiceTokenFile
	if path == "" {
		return nil, nil
	}
	tokens := &auth.ServiceTokens{}
	err := s.files.Watch("--service-token-file", func(contents [][]byte) ([]slog.Attr, error) {
		err := tokens.Parse(contents[0])
		return []slog.Attr{slog.Int("tokens", tokens.Len())}, err
	}, path)
	return tokens, fileError(err, file{"--service-token-file", path})
}
