package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

func TestEachOperationRequiresItsRole(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens := map[string]string{"anyone": "", "user": s.user(t, "asha"), "admin": s.admin(t), "train-admin": serviceToken}
	passes := map[string]string{ // role of the operation → roles that may call it
		"anyone": "anyone user admin train-admin", "user": "user admin", "admin": "admin", "train-admin": "admin train-admin",
	}
	path := strings.NewReplacer("{id}", booking.NewTrainID().String(), "{hold_id}", "x")
	for _, o := range s.server.Operations() {
		for role, token := range tokens {
			in := request{method: o.Method, path: path.Replace(o.Path), token: token}
			if o.Method == "POST" {
				in.body = "[]" // is 400; an empty body is 401 for a refresh
			}
			r := s.do(t, in)
			switch may := strings.Contains(" "+passes[o.Role]+" ", " "+role+" "); {
			case may:
				require.NotContains(t, []int{401, 403}, r.status, "%s as %s: %s", o.Path, role, r.text)
			case token == "":
				requireProblem(t, 401, booking.CodeUnauthenticated, "", r)
				require.Equal(t, "Bearer", r.header.Get("WWW-Authenticate"))
			default:
				requireProblem(t, 403, booking.CodeForbidden, "Your role does not allow this", r)
			}
		}
	}
}

func TestForgedTokenIsRejected(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	good := s.user(t, "asha")
	login := s.post(t, "", "/user/login/", `{"username":"asha","password":"`+password+`"}`)
	parts := strings.Split(good, ".")
	claims := jwt.MapClaims{
		"user_id": uuid.NewString(), "token_type": "access", "exp": time.Now().Add(time.Hour).Unix(),
		"iat": time.Now().Unix(), "jti": uuid.NewString(), "is_admin": true,
	}
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims).SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	stranger, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte("some other key of thirty-two bytes.."))
	require.NoError(t, err)
	for name, header := range map[string][]string{
		"none": {}, "empty": {""}, "scheme alone": {"Bearer"}, "no token": {"Bearer "}, "basic": {"Basic " + good},
		"bare": {good}, "refresh": {"Bearer " + login.str(t, "token.refresh")}, "alg none": {"Bearer " + none},
		"other key": {"Bearer " + stranger}, "unsigned": {"Bearer " + parts[0] + "." + parts[1] + "."},
		"changed": {"Bearer " + good[:len(good)-4] + "AAAA"}, "two": {"Bearer " + good, "Bearer " + good},
		"long": {"Bearer " + strings.Repeat("a", 10_000)}, "half a machine": {"Bearer " + serviceToken[:40]},
	} {
		r := s.do(t, request{method: "GET", path: "/train/view-bookings/", header: http.Header{"Authorization": header}})
		requireProblem(t, 401, booking.CodeUnauthenticated, "A valid token is needed, log in", r)
		require.NotContains(t, r.text, "Bearer", name)
	}
	r := s.do(t, request{method: "GET", path: "/train/view-bookings/", header: http.Header{"Authorization": {"bearer " + good}}})
	require.Equal(t, 200, r.status)
}
