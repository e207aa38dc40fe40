package bench_test

import (
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// sign returns an access token as the service issues it.
func sign(t *testing.T, secret string, user uuid.UUID) string {
	t.Helper()
	now := time.Now().Truncate(time.Second)
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"token_type": "access", "user_id": user, "jti": uuid.New(), "iss": "trainbooking", "aud": []string{"trainbooking"},
		"iat": now.Unix(), "exp": now.Add(24 * time.Hour).Unix(),
	})
	sum := sha256.Sum256([]byte(secret))
	token.Header["kid"] = base64.RawURLEncoding.EncodeToString(sum[:8])
	text, err := token.SignedString([]byte(secret))
	require.NoError(t, err)
	return text
}
