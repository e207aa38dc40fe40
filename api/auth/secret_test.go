package auth_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/auth"
)

var (
	firstToken  = strings.Repeat("s1", 16)
	secondToken = strings.Repeat("s2", 32)
)

func TestSecretFileHasOneKeyPerLine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 32)
	for name, test := range map[string]struct {
		file string
		keys []string
		want string
	}{
		"one":               {file: long, keys: []string{long}},
		"with its line end": {file: long + "\n", keys: []string{long}},
		"from Windows":      {file: "\r\n  " + long + "\t\r\n\r\n" + long + "2\r\n", keys: []string{long, long + "2"}},
		"a space within":    {file: long + " b", keys: []string{long + " b"}},
		"empty":             {file: "", want: "the file has no secret; make one with: openssl rand -base64 48"},
		"blank":             {file: " \n\t\n", want: "the file has no secret"},
		"second too short":  {file: long + "\n\nhunter2", want: "line 3: a secret of 7 characters is too short, the minimum is 32; make one with: openssl rand -base64 48"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys, err := auth.ParseSecret([]byte(test.file))
			if test.want != "" {
				require.ErrorContains(t, err, test.want)
				return
			}
			require.NoError(t, err)
			require.Len(t, keys, len(test.keys))
			for i := range keys {
				require.Equal(t, test.keys[i], string(keys[i]))
			}
		})
	}
}

func TestServiceTokenIdentifiesAMachine(t *testing.T) {
	t.Parallel()
	services, err := auth.ParseServiceTokens([]byte(firstToken + "\n" + secondToken + "\n"))
	require.NoError(t, err)
	accounts := &auth.Accounts{Tokens: newTokens(t, newKey), Services: services}
	for _, token := range []string{firstToken, secondToken} {
		identity, err := accounts.Identify(token)
		require.NoError(t, err)
		require.Equal(t, auth.Identity{Machine: true}, identity)
	}
	for _, token := range []string{"", firstToken[:31], firstToken + " ", firstToken + "\n" + secondToken, strings.ToUpper(firstToken)} {
		_, err := accounts.Identify(token)
		require.Equal(t, auth.Unauthenticated(), err)
	}
}

func TestServiceTokensAreReplacedByAFileThatIsValid(t *testing.T) {
	t.Parallel()
	services, err := auth.ParseServiceTokens([]byte(firstToken))
	require.NoError(t, err)
	require.NoError(t, services.Parse([]byte(secondToken+"\n"+firstToken)))
	require.Equal(t, 2, services.Len())
	require.True(t, services.Match(firstToken) && services.Match(secondToken))
	require.Error(t, services.Parse(nil))
	require.True(t, services.Match(firstToken) && services.Match(secondToken), "as before the error")
	require.NoError(t, services.Parse([]byte(secondToken)))
	require.False(t, services.Match(firstToken))
	require.True(t, services.Match(secondToken))
}

func TestWithoutServiceTokensNothingMatches(t *testing.T) {
	t.Parallel()
	var none *auth.ServiceTokens
	require.False(t, none.Match(""))
	require.False(t, (&auth.ServiceTokens{}).Match(""))
}

func TestWeakServiceTokensAreRejected(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"":                                     "the file has no secret",
		firstToken[:31]:                        "line 1: a secret of 31 characters is too short",
		firstToken + "\n" + "a " + secondToken: "token 2 has a character that HTTP headers cannot contain",
		firstToken + "é":                       "token 1 has a character that HTTP headers cannot contain",
		firstToken + "\x00":                    "token 1 has a character that HTTP headers cannot contain",
	} {
		_, err := auth.ParseServiceTokens([]byte(file))
		require.ErrorContains(t, err, want)
	}
}
