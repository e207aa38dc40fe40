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

// canary is in every secret of the test, so that one search finds any of them.
const canary = "canary-7d1f0a"

// leaks are the forms in which a secret might get out.
func leaks(secrets ...string) []string {
	var all []string
	for _, s := range secrets {
		all = append(all, s, fmt.Sprintf("%d", []byte(s)), fmt.Sprintf("%x", s), base64.StdEncoding.EncodeToString([]byte(s)))
	}
	return all
}

func TestNoErrorTellsASecret(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	signing := []byte(canary + " is the key that signs, and long")
	accounts.Tokens = newTokens(t, signing)
	good := canary + " password"
	form := registration("asha")
	form.Password, form.Password2 = good, good
	user, err := accounts.Register(t.Context(), form)
	require.NoError(t, err)
	stored, err := accounts.Users.FindUser(t.Context(), user.ID)
	require.NoError(t, err)
	pair := login(t, accounts, "asha", good)

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	errs := map[string]error{}
	bad := canary + strings.Repeat("x", 200)
	_, errs["register again"] = accounts.Register(t.Context(), form)
	_, errs["register, too long"] = accounts.Register(t.Context(), auth.Registration{Password: bad, Password2: good})
	_, errs["register, gone"] = accounts.Register(gone, registration("ravi"))
	_, errs["login"] = accounts.Login(t.Context(), "asha", bad, address)
	_, errs["login, gone"] = accounts.Login(gone, "asha", good, address)
	_, errs["refresh"] = accounts.Refresh(t.Context(), pair.Refresh+"x")
	_, errs["refresh, gone"] = accounts.Refresh(gone, pair.Refresh)
	_, errs["identify"] = accounts.Identify(pair.Access + canary)
	errs["logout"] = accounts.Logout(t.Context(), uuid.New(), pair.Refresh)
	errs["logout, gone"] = accounts.Logout(gone, user.ID, pair.Refresh)
	errs["change"] = accounts.ChangePassword(t.Context(), user.ID, bad, good, good, address)
	errs["change, gone"] = accounts.ChangePassword(gone, user.ID, good, good, good, address)
	_, errs["verify"] = accounts.Hasher.Verify(t.Context(), stored.PasswordHash+canary, good)
	_, errs["keys"] = auth.NewTokens([][]byte{[]byte(canary)}, time.Hour, time.Hour)
	_, errs["secret"] = auth.ParseSecret([]byte(canary))
	_, errs["services"] = auth.ParseServiceTokens([]byte(canary + strings.Repeat("é", 32)))

	hash := stored.PasswordHash[strings.LastIndex(stored.PasswordHash, "$")+1:]
	for name, err := range errs {
		require.Error(t, err, name)
		for _, secret := range leaks(canary, hash, pair.Access, pair.Refresh) {
			require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), secret, name)
		}
	}
}

func TestNothingThatIsPrintedTellsASecret(t *testing.T) {
	t.Parallel()
	signing := []byte(canary + " is the key that signs, and long")
	services, err := auth.ParseServiceTokens([]byte(canary + strings.Repeat("s", 32)))
	require.NoError(t, err)
	accounts := &auth.Accounts{Tokens: newTokens(t, signing), Hasher: newHasher(t, cheap), Services: services}
	form := registration("asha")
	form.Password, form.Password2 = canary, canary
	pair := auth.Pair{Access: canary, Refresh: canary}

	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("printed", "form", form, "pair", pair, "tokens", accounts.Tokens,
			"services", accounts.Services, "accounts", accounts)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{form, &form, pair, &pair, accounts.Tokens, accounts.Services, accounts} {
			fmt.Fprintf(&out, verb, value)
		}
	}
	require.Contains(t, out.String(), "asha")
	for _, secret := range leaks(canary) {
		require.NotContains(t, out.String(), secret)
	}
}
