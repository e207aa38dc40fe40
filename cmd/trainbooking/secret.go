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
	"strings"

	"trainbooking.dev/api/auth"
)

// secretFile is the name of the generated secret in the data directory.
const secretFile = "jwt-secret"

// secretBytes is more than HS256 needs and has no padding in base64.
const secretBytes = 48

// signingKeys reads the secrets from the file at path. If path is empty, it reads them from
// the data directory, and creates a secret there at the first start, so that tokens survive
// a restart.
func signingKeys(path, dataDir string, log *slog.Logger) ([][]byte, error) {
	flag := "--jwt-secret-file"
	if path == "" {
		flag = "the signing secret"
		path = filepath.Join(dataDir, secretFile)
		if err := ensureSecret(path, log); err != nil {
			return nil, fmt.Errorf("create a signing secret: %w", err)
		}
	}
	contents, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", flag, err)}
	}
	keys, err := auth.ParseSecret(contents)
	if err != nil {
		return nil, usageError{fmt.Errorf("%s %s: %w", flag, path, err)}
	}
	return keys, nil
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

// secretOf returns value, or the trimmed contents of the file at path if path is not "".
func secretOf(flag, value, path string) (string, error) {
	if path == "" {
		return value, nil
	}
	contents, err := os.ReadFile(path)
	if err != nil {
		return "", usageError{fmt.Errorf("%s-file: %w", flag, err)}
	}
	secret := strings.TrimSpace(string(contents))
	if secret == "" {
		return "", usageError{fmt.Errorf("%s-file %s is empty; write the value of %s into it", flag, path, flag)}
	}
	return secret, nil
}

// serviceTokens reads the service tokens. It returns nil if path is "".
func serviceTokens(path string) (*auth.ServiceTokens, error) {
	if path == "" {
		return nil, nil
	}
	contents, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError{fmt.Errorf("--service-token-file: %w", err)}
	}
	tokens, err := auth.ParseServiceTokens(contents)
	if err != nil {
		return nil, usageError{fmt.Errorf("--service-token-file %s: %w", path, err)}
	}
	return tokens, nil
}
