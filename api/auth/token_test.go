package auth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

const (
	someUser   = "6f1c1f0e-58a4-4c2e-9a3e-0b7c1f1f2a11"
	someToken  = "0f8fad5b-d9cb-469f-a165-70867728950e"
	someFamily = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

	access  = "access"
	refresh = "refresh"
)

var (
	oldKey = []byte("the key that signed before, 32 b")
	newKey = []byte("the key that signs from now on, 36 b")
)

func newTokens(tb testing.TB, keys ...[]byte) *auth.Tokens {
	tb.Helper()
	tokens, err := auth.NewTokens(keys, auth.DefaultAccessTTL, auth.DefaultRefreshTTL)
	require.NoError(tb, err)
	return tokens
}

// b64 encodes a part of a token.
func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// kid is the documented name of a key.
func kid(key []byte) string {
	sum := sha256.Sum256(key)
	return base64.RawURLEncoding.EncodeToString(sum[:8])
}

// mac signs header and payload.
func mac(newHash func() hash.Hash, header, payload string, key []byte) string {
	text := b64(header) + "." + b64(payload)
	h := hmac.New(newHash, key)
	h.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func sign(header, payload string, key []byte) string { return mac(sha256.New, header, payload, key) }

func header(key []byte) string {
	return fmt.Sprintf(`{"alg":"HS256","kid":%q,"typ":"JWT"}`, kid(key))
}

// payload returns the payload of a valid token with changes: names, each followed by raw
// JSON, or by "" to remove the member.
func payload(kind string, now time.Time, changes ...string) string {
	members := map[string]string{
		"token_type": `"` + kind + `"`, "user_id": `"` + someUser + `"`, "jti": `"` + someToken + `"`,
		"iss": `"trainbooking"`, "aud": `"trainbooking"`,
		"iat": fmt.Sprint(now.Unix()), "exp": fmt.Sprint(now.Unix() + 600),
	}
	if kind == refresh {
		members["family"] = `"` + someFamily + `"`
	}
	for change := range slices.Chunk(changes, 2) {
		members[change[0]] = change[1]
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if members[name] != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", name, members[name]))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func seconds(at time.Time, d time.Duration) string { return fmt.Sprint(at.Add(d).Unix()) }

func TestTokenSignedByAnotherToolIsAccepted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		accounts := &auth.Accounts{Tokens: newTokens(t, newKey)}
		now := time.Now()
		for name, token := range map[string]string{
			"as we write it":     sign(header(newKey), payload(access, now), newKey),
			"without typ":        sign(fmt.Sprintf(`{"kid":%q,"alg":"HS256"}`, kid(newKey)), payload(access, now), newKey),
			"spaces in the JSON": sign(" "+header(newKey), "\n"+payload(access, now)+" ", newKey),
			"audience in a list": sign(header(newKey), payload(access, now, "aud", `["other","trainbooking"]`), newKey),
			"a claim of its own": sign(header(newKey), payload(access, now, "colour", `{"a":[1,2]}`), newKey),
			"not before now":     sign(header(newKey), payload(access, now, "nbf", seconds(now, 0)), newKey),
			"clock 30 s ahead":   sign(header(newKey), payload(access, now, "iat", seconds(now, 30*time.Second)), newKey),
			"begins in 30 s":     sign(header(newKey), payload(access, now, "nbf", seconds(now, 30*time.Second)), newKey),
			"ended 29 s ago":     sign(header(newKey), payload(access, now.Add(-time.Hour), "exp", seconds(now, -29*time.Second)), newKey),
			"maximum lifetime":   sign(header(newKey), payload(access, now, "exp", seconds(now, auth.MaxTTL)), newKey),
		} {
			identity, err := accounts.Identify(token)
			require.NoError(t, err, name)
			require.Equal(t, someUser, identity.User.String(), name)
			require.False(t, identity.Machine, name)
		}
	})
}

// forged returns tokens that must be rejected. Each has one defect.
func forged(kind string, now time.Time) map[string]string {
	good := sign(header(newKey), payload(kind, now), newKey)
	parts := strings.Split(good, ".")
	with := func(changes ...string) string { return sign(header(newKey), payload(kind, now, changes...), newKey) }
	headed := func(h string) string { return sign(h, payload(kind, now), newKey) }
	k, other := kid(newKey), access
	if kind == access {
		other = refresh
	}
	tokens := map[string]string{
		// text
		"empty": "", "a dot": ".", "two dots": "..", "words": "not a token", "NUL": "\x00",
		"two parts":          parts[0] + "." + parts[1],
		"four parts":         good + "." + parts[2],
		"trailing dot":       good + ".",
		"trailing letter":    good + "A",
		"trailing space":     good + " ",
		"trailing line":      good + "\n",
		"line in signature":  good[:len(good)-3] + "\r\n" + good[len(good)-3:],
		"leading space":      " " + good,
		"padded":             good + "=",
		"scheme left in":     "Bearer " + good,
		"standard base64":    parts[0] + "." + parts[1] + "." + otherAlphabet(parts[2]),
		"loose last bits":    good[:len(good)-1] + looseTwin(good[len(good)-1]),
		"1 MiB":              strings.Repeat("A", 1<<20),
		"good but too long":  with("padding", `"`+strings.Repeat("x", 4096)+`"`),
		"no signature":       parts[0] + "." + parts[1] + ".",
		"cut signature":      good[:len(good)-4],
		"another signature":  parts[0] + "." + parts[1] + "." + strings.Repeat("A", 43),
		"swapped payload":    parts[0] + "." + b64(payload(kind, now, "user_id", `"`+someFamily+`"`)) + "." + parts[2],
		"invalid UTF-8":      sign(header(newKey), "{\"\xff\":1", newKey),
		"signed by nobody":   sign(header(newKey), payload(kind, now), []byte("a key that only the forger has: 36 b")),
		"key of another kid": sign(header(newKey), payload(kind, now), oldKey),

		// header
		"alg none":           b64(fmt.Sprintf(`{"alg":"none","kid":%q}`, k)) + "." + parts[1] + ".",
		"alg None, signed":   headed(fmt.Sprintf(`{"alg":"None","kid":%q}`, k)),
		"alg RS256":          headed(fmt.Sprintf(`{"alg":"RS256","kid":%q}`, k)),
		"alg HS512":          mac(sha512.New, fmt.Sprintf(`{"alg":"HS512","kid":%q}`, k), payload(kind, now), newKey),
		"alg HS384":          mac(sha512.New384, fmt.Sprintf(`{"alg":"HS384","kid":%q}`, k), payload(kind, now), newKey),
		"alg hs256":          headed(fmt.Sprintf(`{"alg":"hs256","kid":%q}`, k)),
		"alg a number":       headed(fmt.Sprintf(`{"alg":256,"kid":%q}`, k)),
		"alg missing":        headed(fmt.Sprintf(`{"kid":%q}`, k)),
		"alg twice":          headed(fmt.Sprintf(`{"alg":"none","alg":"HS256","kid":%q}`, k)),
		"alg twice, escaped": headed(fmt.Sprintf(`{"\u0061lg":"none","alg":"HS256","kid":%q}`, k)),
		"ALG beside alg":     headed(fmt.Sprintf(`{"ALG":"none","alg":"HS256","kid":%q}`, k)),
		"kid missing":        headed(`{"alg":"HS256","typ":"JWT"}`),
		"kid empty":          headed(`{"alg":"HS256","kid":""}`),
		"kid null":           headed(`{"alg":"HS256","kid":null}`),
		"kid a number":       headed(`{"alg":"HS256","kid":0}`),
		"kid a list":         headed(fmt.Sprintf(`{"alg":"HS256","kid":[%q]}`, k)),
		"kid unknown":        headed(`{"alg":"HS256","kid":"AAAAAAAAAAA"}`),
		"kid a path":         sign(`{"alg":"HS256","kid":"../../../../dev/null"}`, payload(kind, now), nil),
		"kid a query":        headed(`{"alg":"HS256","kid":"' OR 1=1 --"}`),
		"kid twice":          headed(fmt.Sprintf(`{"alg":"HS256","kid":"x","kid":%q}`, k)),
		"typ at+jwt":         headed(fmt.Sprintf(`{"alg":"HS256","kid":%q,"typ":"at+jwt"}`, k)),
		"typ null":           headed(fmt.Sprintf(`{"alg":"HS256","kid":%q,"typ":null}`, k)),
		"crit":               headed(fmt.Sprintf(`{"alg":"HS256","kid":%q,"crit":["exp"]}`, k)),
		"jwk":                headed(fmt.Sprintf(`{"alg":"HS256","kid":%q,"jwk":{"kty":"oct","k":"AA"}}`, k)),
		"header a list":      headed(`["alg","HS256"]`),
		"header null":        headed(`null`),
		"header empty":       "." + parts[1] + "." + parts[2],
		"two headers":        headed(header(newKey) + header(newKey)),

		// claims
		"payload null":        sign(header(newKey), `null`, newKey),
		"payload a list":      sign(header(newKey), `[]`, newKey),
		"payload empty":       sign(header(newKey), ``, newKey),
		"payload {}":          sign(header(newKey), `{}`, newKey),
		"two payloads":        sign(header(newKey), payload(kind, now)+payload(kind, now), newKey),
		"payload and garbage": sign(header(newKey), payload(kind, now)+"x", newKey),
		"deep payload":        sign(header(newKey), strings.Repeat(`{"a":`, 300)+"1"+strings.Repeat("}", 300), newKey),
		"exp twice":           sign(header(newKey), strings.Replace(payload(kind, now), "{", `{"exp":1,`, 1), newKey),
		"user_id twice":       sign(header(newKey), strings.Replace(payload(kind, now), "{", `{"user\u005fid":"`+someFamily+`",`, 1), newKey),
		"EXP for exp":         with("exp", "", "EXP", seconds(now, time.Minute)),
		"exp missing":         with("exp", ""),
		"exp null":            with("exp", "null"),
		"exp a string":        with("exp", `"`+seconds(now, time.Minute)+`"`),
		"exp a fraction":      with("exp", seconds(now, time.Minute)+".5"),
		"exp 1e10":            with("exp", "1e10"),
		"exp 1e99":            with("exp", "1e99"),
		"exp 2^63":            with("exp", "9223372036854775808"),
		"exp 2^63-1":          with("exp", "9223372036854775807"),
		"exp in ten years":    with("exp", seconds(now, 10*auth.MaxTTL)),
		"exp negative":        with("exp", "-1"),
		"exp zero":            with("exp", "0"),
		"exp a list":          with("exp", "["+seconds(now, time.Minute)+"]"),
		"exp over":            with("iat", seconds(now, -time.Hour), "exp", seconds(now, -30*time.Second)),
		"exp before iat":      with("iat", seconds(now, 20*time.Second), "exp", seconds(now, 10*time.Second)),
		"iat missing":         with("iat", ""),
		"iat a string":        with("iat", `"`+seconds(now, 0)+`"`),
		"iat in the future":   with("iat", seconds(now, 31*time.Second)),
		"nbf in the future":   with("nbf", seconds(now, 31*time.Second)),
		"nbf negative":        with("nbf", "-1"),
		"nbf 2^63-1":          with("nbf", "9223372036854775807"), // overflows to the past
		"nbf null":            with("nbf", "null"),
		"nbf a string":        with("nbf", `"0"`),
		"iss missing":         with("iss", ""),
		"iss another":         with("iss", `"busbooking"`),
		"iss a list":          with("iss", `["trainbooking"]`),
		"aud missing":         with("aud", ""),
		"aud another":         with("aud", `"busbooking"`),
		"aud empty":           with("aud", `[]`),
		"aud null":            with("aud", `null`),
		"aud a mixed list":    with("aud", `["trainbooking",1]`),
		"aud a prefix":        with("aud", `"train"`),
		"type missing":        with("token_type", ""),
		"type another":        with("token_type", `"`+other+`"`, "family", `"`+someFamily+`"`),
		"type in capitals":    with("token_type", `"`+strings.ToUpper(kind)+`"`),
		"type empty":          with("token_type", `""`),
		"jti missing":         with("jti", ""),
		"jti empty":           with("jti", `""`),
		"jti zero":            with("jti", `"00000000-0000-0000-0000-000000000000"`),
		"jti a word":          with("jti", `"token"`),
		"user_id missing":     with("user_id", ""),
		"user_id a name":      with("user_id", `"admin"`),
		"user_id a number":    with("user_id", `1`),
		"user_id in braces":   with("user_id", `"{`+someUser+`}"`),
		"user_id as urn":      with("user_id", `"urn:uuid:`+someUser+`"`),
		"user_id upper case":  with("user_id", `"`+strings.ToUpper(someUser)+`"`),
		"family no UUID":      with("family", `"family"`),
		"family null":         with("family", `null`),
	}
	if kind == refresh {
		tokens["family missing"] = with("family", "")
	}
	return tokens
}

// otherAlphabet encodes a part of a token so that only a lenient decoder accepts it.
func otherAlphabet(part string) string {
	return strings.NewReplacer("-", "+", "_", "/").Replace(part) + "="
}

// looseTwin returns the letter that differs from c in the bits that 32 bytes leave
// unused in the last letter of their base64.
func looseTwin(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)^1])
}

func TestForgedTokensAreAllTheSame401(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		accounts := &auth.Accounts{Tokens: newTokens(t, newKey, oldKey)}
		_, err := accounts.Identify(sign(header(newKey), payload(access, time.Now()), newKey)) // is remembered
		require.NoError(t, err)
		for name, token := range forged(access, time.Now()) {
			_, err := accounts.Identify(token)
			require.Equal(t, auth.Unauthenticated(), err, name)
		}
		// An accepted token would panic with the nil store.
		for name, token := range forged(refresh, time.Now()) {
			_, err := accounts.Refresh(t.Context(), token)
			require.Equal(t, auth.Unauthenticated(), err, name)
			if name != "exp over" { // an expired token can log out
				err := accounts.Logout(t.Context(), uuid.MustParse(someUser), token)
				require.Equal(t, auth.Unauthenticated(), err, name)
			}
		}
	})
}

func TestTokenExpiresAfterItsTTLAndTheLeeway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		accounts := &auth.Accounts{Tokens: newTokens(t, newKey)}
		token := sign(header(newKey), payload(access, time.Now(), "exp", seconds(time.Now(), auth.DefaultAccessTTL)), newKey)
		<-time.After(auth.DefaultAccessTTL + auth.Leeway - time.Nanosecond)
		_, err := accounts.Identify(token)
		require.NoError(t, err)
		<-time.After(time.Nanosecond)
		_, err = accounts.Identify(token)
		require.Equal(t, booking.CodeUnauthenticated, booking.CodeOf(err))
	})
}

func TestEveryKeyVerifiesUntilItIsRemoved(t *testing.T) {
	t.Parallel()
	token := sign(header(oldKey), payload(access, time.Now()), oldKey)
	_, err := (&auth.Accounts{Tokens: newTokens(t, newKey, oldKey)}).Identify(token)
	require.NoError(t, err)
	_, err = (&auth.Accounts{Tokens: newTokens(t, newKey)}).Identify(token)
	require.Equal(t, auth.Unauthenticated(), err)
}

func TestKeysAreReplacedWhileTokensAreInUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		accounts := newAccounts(t) // with newKey
		register(t, accounts, "asha")
		first := login(t, accounts, "asha", password)
		requireValid := func(token string, want error) {
			t.Helper()
			for range 2 { // the second time from the cache
				_, err := accounts.Identify(token)
				require.Equal(t, want == nil, err == nil, err)
			}
		}
		requireValid(first.Access, nil)

		third := []byte("a third key of at least thirty-two bytes")
		require.NoError(t, accounts.Tokens.SetKeys([][]byte{third, newKey}))
		signing, others := accounts.Tokens.KeyIDs()
		require.Equal(t, []string{kid(third), kid(newKey)}, append([]string{signing}, others...))
		requireValid(first.Access, nil)
		second, err := accounts.Refresh(t.Context(), first.Refresh)
		require.NoError(t, err)
		requireValid(second.Access, nil)

		require.ErrorContains(t, accounts.Tokens.SetKeys([][]byte{third, oldKey[:31]}), "too short")
		require.Error(t, accounts.Tokens.SetKeys(nil))
		requireValid(first.Access, nil)

		require.NoError(t, accounts.Tokens.SetKeys([][]byte{third}))
		requireValid(first.Access, auth.Unauthenticated())
		requireValid(second.Access, nil)
		_, err = accounts.Refresh(t.Context(), second.Refresh)
		require.NoError(t, err)
	})
}

func TestWeakTokenSettingsAreRejected(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	for name, test := range map[string]struct {
		keys            [][]byte
		access, refresh time.Duration
		want            string
	}{
		"no key":           {nil, hour, hour, "openssl rand -base64 48"},
		"short key":        {[][]byte{newKey, newKey[:31]}, hour, hour, "signing key 2: a secret of 31 characters is too short, the minimum is 32; make one with: openssl rand -base64 48"},
		"access 0":         {[][]byte{newKey}, 0, hour, "not 0s"},
		"refresh too long": {[][]byte{newKey}, hour, auth.MaxTTL + 1, "1s to 8784h"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := auth.NewTokens(test.keys, test.access, test.refresh)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func FuzzIdentify(f *testing.F) {
	now := time.Now()
	for _, token := range forged(access, now) {
		f.Add(token)
	}
	f.Add(sign(header(newKey), payload(access, now), newKey))
	accounts := &auth.Accounts{Tokens: newTokens(f, newKey, oldKey)}
	f.Fuzz(func(t *testing.T, token string) {
		if identity, err := accounts.Identify(token); err != nil {
			require.Equal(t, auth.Unauthenticated(), err)
		} else {
			require.Equal(t, someUser, identity.User.String())
		}
	})
}

// The claims of a correctly signed token are validated strictly.
func FuzzSignedToken(f *testing.F) {
	now := time.Now()
	f.Add(header(newKey), payload(access, now))
	f.Add(header(newKey), payload(refresh, now))
	for _, token := range forged(access, now) {
		if parts := strings.Split(token, "."); len(parts) == 3 {
			h, _ := base64.RawURLEncoding.DecodeString(parts[0])
			p, _ := base64.RawURLEncoding.DecodeString(parts[1])
			f.Add(string(h), string(p))
		}
	}
	accounts := &auth.Accounts{Tokens: newTokens(f, newKey)}
	f.Fuzz(func(t *testing.T, header, payload string) {
		identity, err := accounts.Identify(sign(header, payload, newKey))
		if err != nil {
			require.Equal(t, auth.Unauthenticated(), err)
			return
		}
		var claims map[string]any
		require.NoError(t, json.Unmarshal([]byte(payload), &claims))
		require.Equal(t, access, claims["token_type"])
		require.Equal(t, "trainbooking", claims["iss"])
		require.Contains(t, claims["aud"], "trainbooking")
		require.Equal(t, identity.User.String(), claims["user_id"])
		require.Greater(t, claims["exp"], float64(time.Now().Add(-auth.Leeway-time.Second).Unix()))
		require.Contains(t, header, kid(newKey))
	})
}

// BenchmarkIdentify identifies the callers of requests with 1,000 tokens: each for the first time, or
// again, which is what most requests are.
func BenchmarkIdentify(b *testing.B) {
	tokens := make([]string, 1000)
	for i := range tokens {
		tokens[i] = sign(header(newKey), payload(access, time.Now(), "user_id", fmt.Sprintf("%q", uuid.New())), newKey)
	}
	identify := func(b *testing.B, accounts *auth.Accounts, token string) {
		b.Helper()
		if _, err := accounts.Identify(token); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("first", func(b *testing.B) {
		var accounts *auth.Accounts
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if i%len(tokens) == 0 { // the tokens that were seen before are forgotten
				b.StopTimer()
				accounts = &auth.Accounts{Tokens: newTokens(b, newKey)}
				b.StartTimer()
			}
			identify(b, accounts, tokens[i%len(tokens)])
		}
	})
	b.Run("again", func(b *testing.B) {
		accounts := &auth.Accounts{Tokens: newTokens(b, newKey)}
		for _, token := range tokens {
			identify(b, accounts, token)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			identify(b, accounts, tokens[i%len(tokens)])
		}
	})
}
