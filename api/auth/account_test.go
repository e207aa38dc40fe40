package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/sqlite"
)

// newStore opens an empty store.
func newStore(t *testing.T) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, db.Migrate(t.Context()))
	return db
}

// newAccounts returns Accounts with a new store and minCost.
func newAccounts(t *testing.T) *auth.Accounts {
	t.Helper()
	return &auth.Accounts{
		Users: newStore(t), Tokens: newTokens(t, newKey), Hasher: newHasher(t, minCost),
		Logins: auth.NewLoginThrottle(auth.ThrottleOptions{Limit: auth.DefaultLoginFailures}),
	}
}

const password = "correct horse"

func registration(username string) auth.Registration {
	return auth.Registration{
		Username: username, Email: username + "@example.org", Password: password, Password2: password,
	}
}

func register(t *testing.T, accounts *auth.Accounts, username string) booking.User {
	t.Helper()
	user, err := accounts.Register(t.Context(), registration(username), address)
	require.NoError(t, err)
	return user
}

func requireCode(t *testing.T, code booking.Code, err error) {
	t.Helper()
	require.Equal(t, code, booking.CodeOf(err), "%v", err)
}

func TestRegisteredUserIsStoredNormalizedAndIsNoAdmin(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	r := registration("asha")
	r.Username, r.Email = "  Re\u0301my ", " Remy@Example.org\t"
	user, err := accounts.Register(t.Context(), r, address)
	require.NoError(t, err)
	require.Equal(t, "Rémy", user.Username)
	require.Equal(t, "Remy@Example.org", user.Email)
	require.Empty(t, user.PasswordHash)
	require.WithinDuration(t, time.Now(), user.CreatedAt, time.Minute)

	stored, err := accounts.Users.FindUser(t.Context(), user.ID)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(stored.PasswordHash, "$argon2id$"))
	stored.PasswordHash = ""
	require.Equal(t, user, stored)
	admin, err := accounts.IsAdmin(t.Context(), user.ID)
	require.NoError(t, err)
	require.False(t, admin)
}

func TestCreatedAdminIsAdmin(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user, err := accounts.CreateAdmin(t.Context(), registration("root"))
	require.NoError(t, err)
	require.True(t, user.IsAdmin)
	admin, err := accounts.IsAdmin(t.Context(), user.ID)
	require.NoError(t, err)
	require.True(t, admin)
	_, err = accounts.CreateAdmin(t.Context(), auth.Registration{})
	requireCode(t, booking.CodeInvalidRequest, err)
}

func TestMissingUserIsUnauthenticated(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	_, err := accounts.IsAdmin(t.Context(), uuid.New())
	require.Equal(t, auth.Unauthenticated(), err)
	err = accounts.ChangePassword(t.Context(), uuid.New(), password, password, password, address)
	require.Equal(t, auth.Unauthenticated(), err)
}

func TestNameAndEmailAreTakenInAnyCase(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	register(t, accounts, "straße")
	r := registration("STRASSE ")
	r.Email = "other@example.org"
	_, err := accounts.Register(t.Context(), r, address)
	requireCode(t, booking.CodeAlreadyExists, err)

	register(t, accounts, "asha")
	r = registration("other")
	r.Email = "ASHA@Example.ORG"
	_, err = accounts.CreateAdmin(t.Context(), r)
	requireCode(t, booking.CodeAlreadyExists, err)
}

// Every rule of a registration, at its limits.
func TestRegistrationNamesEveryInvalidField(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	const long = "must have 8 to 128 characters"
	const mail = "must be an email address, such as asha@example.org"
	type fields = map[string]string
	for name, test := range map[string]struct {
		change func(*auth.Registration)
		fields fields
	}{
		"nothing given": {func(r *auth.Registration) { *r = auth.Registration{} }, fields{
			"username": "must not be empty", "email": "must not be empty", "password": long,
		}},
		"username of spaces":      {func(r *auth.Registration) { r.Username = " \t " }, fields{"username": "must not be empty"}},
		"username of 151":         {func(r *auth.Registration) { r.Username = strings.Repeat("é", 151) }, fields{"username": "must have 1 to 150 characters"}},
		"username with NUL":       {func(r *auth.Registration) { r.Username = "a\x00b" }, fields{"username": "must not contain control characters"}},
		"username not UTF-8":      {func(r *auth.Registration) { r.Username = "a\xff" }, fields{"username": "must be valid UTF-8"}},
		"email of 2":              {func(r *auth.Registration) { r.Email = "a@" }, fields{"email": "must have 3 to 254 characters"}},
		"email of 255":            {func(r *auth.Registration) { r.Email = strings.Repeat("a", 250) + "@b.cd" }, fields{"email": "must have 3 to 254 characters"}},
		"email without at":        {func(r *auth.Registration) { r.Email = "example.org" }, fields{"email": mail}},
		"email with a name":       {func(r *auth.Registration) { r.Email = "Asha <a@example.org>" }, fields{"email": mail}},
		"email in brackets":       {func(r *auth.Registration) { r.Email = "<a@example.org>" }, fields{"email": mail}},
		"email quoted":            {func(r *auth.Registration) { r.Email = `"a b"@example.org` }, fields{"email": mail}},
		"email with a comment":    {func(r *auth.Registration) { r.Email = "a@example.org (Asha)" }, fields{"email": mail}},
		"email with two dots":     {func(r *auth.Registration) { r.Email = "a@example..org" }, fields{"email": mail}},
		"two emails":              {func(r *auth.Registration) { r.Email = "a@example.org,b@example.org" }, fields{"email": mail}},
		"email with a header":     {func(r *auth.Registration) { r.Email = "a@b.c\r\nBcc: x@y.z" }, fields{"email": "must not contain control characters"}},
		"password of 7":           {func(r *auth.Registration) { r.Password, r.Password2 = "1234567", "1234567" }, fields{"password": long}},
		"password of 7, composed": {func(r *auth.Registration) { r.Password = strings.Repeat("e\u0301", 7); r.Password2 = r.Password }, fields{"password": long}},
		"password of 129":         {func(r *auth.Registration) { r.Password = strings.Repeat("é", 129); r.Password2 = r.Password }, fields{"password": long}},
		"password not UTF-8":      {func(r *auth.Registration) { r.Password, r.Password2 = "12345678\xff", "12345678\xff" }, fields{"password": "must be valid UTF-8"}},
		"passwords differ":        {func(r *auth.Registration) { r.Password2 += " " }, fields{"password2": "must be the same as password"}},
		"second password missing": {func(r *auth.Registration) { r.Password2 = "" }, fields{"password2": "must be the same as password"}},
		"short passwords, differ": {func(r *auth.Registration) { r.Password = "1" }, fields{"password": long, "password2": "must be the same as password"}},
		"everything at its minimum": {func(r *auth.Registration) {
			*r = auth.Registration{Username: "a", Email: "a@b", Password: "12345678", Password2: "12345678"}
		}, nil},
		"everything at its maximum": {func(r *auth.Registration) {
			r.Username, r.Email = strings.Repeat("é", 150), strings.Repeat("a", 248)+"@b.cde"
			r.Password, r.Password2 = strings.Repeat("語", 128), strings.Repeat("語", 128)
		}, nil},
		"passwords composed differently": {func(r *auth.Registration) { r.Password, r.Password2 = "caf\u00e9 noir", "cafe\u0301 noir" }, nil},
		"password of control characters": {func(r *auth.Registration) { r.Password, r.Password2 = " \x00\t\n\x1b[31m ", " \x00\t\n\x1b[31m " }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := registration(uuid.NewString())
			test.change(&r)
			_, err := accounts.Register(t.Context(), r, address)
			if test.fields == nil {
				require.NoError(t, err)
				return
			}
			require.Equal(t, booking.Invalid(test.fields), err)
		})
	}
}
