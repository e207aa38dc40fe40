package auth_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/auth"
)

// marker is a part of every secret in these tests, so that one search finds all of them.
const marker = "marker-7d1f0a"

// encodings returns the forms in which a secret might be printed.
func encodings(secrets ...string) []string {
	var all []string
	for _, s := range secrets {
		all = append(all, s, fmt.Sprintf("%d", []byte(s)), fmt.Sprintf("%x", s), base64.StdEncoding.EncodeToString([]byte(s)))
	}
	return all
}

func TestErrorsContainNoSecret(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	signing := []byte(marker + " is a signing key of 32 bytes or more")
	accounts.Tokens = newTokens(t, signing)
	good := marker + " password"
	r := registration("asha")
	r.Password, r.Password2 = good, good
	user, err := accounts.Register(t.Context(), r, address)
	require.NoError(t, err)
	stored, err := accounts.Users.FindUser(t.Context(), user.ID)
	require.NoError(t, err)
	issued := login(t, accounts, "asha", good)

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	errs := map[string]error{}
	bad := marker + strings.Repeat("x", 200)
	_, errs["register again"] = accounts.Register(t.Context(), r, address)
	_, errs["register, too long"] = accounts.Register(t.Context(), auth.Registration{Password: bad, Password2: good}, address)
	_, errs["register, cancelled"] = accounts.Register(cancelled, registration("ravi"), address)
	_, errs["login"] = accounts.Login(t.Context(), "asha", bad, address)
	_, errs["login, cancelled"] = accounts.Login(cancelled, "asha", good, address)
	_, errs["refresh"] = accounts.Refresh(t.Context(), issued.Refresh+"x")
	_, errs["refresh, cancelled"] = accounts.Refresh(cancelled, issued.Refresh)
	_, errs["identify"] = accounts.Identify(issued.Access + marker)
	errs["logout"] = accounts.Logout(t.Context(), uuid.New(), issued.Refresh)
	errs["logout, cancelled"] = accounts.Logout(cancelled, user.ID, issued.Refresh)
	errs["change"] = accounts.ChangePassword(t.Context(), user.ID, bad, good, good, address)
	errs["change, cancelled"] = accounts.ChangePassword(cancelled, user.ID, good, good, good, address)
	_, errs["verify"] = accounts.Hasher.Verify(t.Context(), stored.PasswordHash+marker, good)
	_, errs["keys"] = auth.NewTokens([][]byte{[]byte(marker)}, time.Hour, time.Hour)
	_, errs["secret"] = auth.ParseSecret([]byte(marker))
	_, errs["services"] = auth.ParseServiceTokens([]byte(marker + strings.Repeat("é", 32)))

	hash := stored.PasswordHash[strings.LastIndex(stored.PasswordHash, "$")+1:]
	for name, err := range errs {
		require.Error(t, err, name)
		for _, secret := range encodings(marker, hash, issued.Access, issued.Refresh) {
			require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), secret, name)
		}
	}
}

func TestPrintedValuesContainNoSecret(t *testing.T) {
	t.Parallel()
	signing := []byte(marker + " is a signing key of 32 bytes or more")
	services, err := auth.ParseServiceTokens([]byte(marker + strings.Repeat("s", 32)))
	require.NoError(t, err)
	accounts := &auth.Accounts{Tokens: newTokens(t, signing), Hasher: newHasher(t, minCost), Services: services}
	r := registration("asha")
	r.Password, r.Password2 = marker, marker
	issued := auth.IssuedTokens{Access: marker, Refresh: marker}

	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("printed", "registration", r, "issued", issued, "tokens", accounts.Tokens,
			"services", accounts.Services, "accounts", accounts)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{r, &r, issued, &issued, accounts.Tokens, accounts.Services, accounts} {
			fmt.Fprintf(&out, verb, value)
		}
	}
	require.Contains(t, out.String(), "asha")
	for _, secret := range encodings(marker) {
		require.NotContains(t, out.String(), secret)
	}
}
