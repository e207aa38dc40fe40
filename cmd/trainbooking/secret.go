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

// secretFile is where the generated secret lies in the data directory.
const secretFile = "jwt-secret"

// secretBytes is more than HS256 uses, and no padding in base64.
const secretBytes = 48

// signingKeys reads the secrets in the file at path or, when path is empty, in the data
// directory, where one is made at first start: tokens outlive a restart.
func signingKeys(path, dataDir string, log *slog.Logger) ([][]byte, error) {
	flag := "--jwt-secret-file"
	if path == "" {
		flag = "the signing secret"
		path = filepath.Join(dataDir, secretFile)
		if err := ensureSecret(path, log); err != nil {
			return nil, fmt.Errorf("make a signing secret: %w", err)
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

// ensureSecret makes a secret at path unless there is one. The data directory's lock is
// held, so nobody else does.
func ensureSecret(path string, log *slog.Logger) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		secret := make([]byte, secretBytes)
		_, _ = rand.Read(secret) // never fails
		err := writeWhole(path, []byte(base64.StdEncoding.EncodeToString(secret)+"\n"))
		if err == nil {
			log.Info("made a signing secret", "file", path)
		}
		return err
	}
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		log.Warn("others may read the signing secret, who knows it can be anyone: chmod 600",
			"file", path, "mode", info.Mode().Perm().String())
	}
	return nil
}

// writeWhole makes a file for its owner alone that is, whenever the machine stops,
// there whole or not at all: written beside its place, synced, renamed, and the
// directory synced.
func writeWhole(path string, contents []byte) error {
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

// secretOf returns a secret that was given by itself or in a file, spaces around it left
// out; "" when neither was given.
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
		return "", usageError{fmt.Errorf("%s-file %s is empty; write into it what %s would say", flag, path, flag)}
	}
	return secret, nil
}

// serviceTokens reads the tokens of machines; without a file there are none.
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
