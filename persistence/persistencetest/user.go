package persistencetest

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

var userFacts = []fact[*exercise]{
	{"UserIsFoundByIDAndByFoldedName", userFound},
	{"FoldedNamesAndEmailsAreUnique", namesUnique},
	{"OneOfManyRegistrationsOfANameWins", oneRegistrationWins},
	{"UnknownUserIsNotFound", unknownUser},
	{"UsersAreListedInPagesOldestFirst", usersListed},
	{"PasswordChangeComparesTheOldHash", passwordCompares},
	{"OneOfManyPasswordChangesWins", onePasswordWins},
}

// newUser returns a user without storing it.
func newUser() booking.User {
	id := uuid.New()
	return booking.User{
		ID: id, Username: "Jürgen-" + id.String(), Email: id.String() + "@Example.org",
		PasswordHash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", CreatedAt: start.Add(time.Microsecond),
	}
}

// createUser stores a new user.
func (x *exercise) createUser() booking.User {
	x.Helper()
	user := newUser()
	require.NoError(x, x.CreateUser(x.Context(), user))
	return user
}

func userFound(x *exercise) {
	admin := newUser()
	admin.Username, admin.IsAdmin = "Straße 🚉 अजय", true
	require.NoError(x, x.CreateUser(x.Context(), admin))
	x.createUser()
	got, err := x.FindUser(x.Context(), admin.ID)
	require.NoError(x, err)
	require.Equal(x, admin, got)
	for _, name := range []string{"Straße 🚉 अजय", " STRASSE 🚉 अजय", "strasse 🚉 अजय"} {
		got, err = x.FindUserByName(x.Context(), name)
		require.NoError(x, err, name)
		require.Equal(x, admin, got)
	}
}

func namesUnique(x *exercise) {
	existing := newUser()
	existing.Username, existing.Email = "Žofie", "Zofie@Example.org"
	require.NoError(x, x.CreateUser(x.Context(), existing))
	for _, c := range []struct {
		name, email string
		fields      []string
	}{
		{"ŽOFIE", "other@example.org", []string{"username"}},
		{"Z\u030cofie", "other@example.org", []string{"username"}}, // decomposed
		{"other", "zofie@EXAMPLE.ORG", []string{"email"}},
		{"žofie", "ZOFIE@example.org", []string{"email", "username"}},
	} {
		user := newUser()
		user.Username, user.Email = c.name, c.email
		err := x.CreateUser(x.Context(), user)
		x.requireCode(booking.CodeAlreadyExists, err)
		var e *booking.Error
		require.ErrorAs(x, err, &e)
		var fields []string
		for field := range e.Fields {
			fields = append(fields, field)
		}
		slices.Sort(fields)
		require.Equal(x, c.fields, fields)
		_, err = x.FindUser(x.Context(), user.ID)
		x.requireCode(booking.CodeNotFound, err)
	}
}

func oneRegistrationWins(x *exercise) {
	names := []string{"amélie", "Amélie", "AMÉLIE"}
	results := together(12, func(i int) error {
		user := newUser()
		user.Username = names[i%len(names)]
		return x.CreateUser(x.Context(), user)
	})
	require.Equal(x, 1, succeeded(results))
	for _, err := range results {
		if err != nil {
			x.requireCode(booking.CodeAlreadyExists, err)
		}
	}
}

func unknownUser(x *exercise) {
	_, err := x.FindUser(x.Context(), uuid.New())
	x.requireCode(booking.CodeNotFound, err)
	for _, name := range []string{"nobody", "", "no\x00body", "no\xffbody"} {
		_, err = x.FindUserByName(x.Context(), name)
		x.requireCode(booking.CodeNotFound, err)
	}
	x.requireCode(booking.CodeNotFound, x.SetPassword(x.Context(), uuid.New(), "old", "new"))
}

func usersListed(x *exercise) {
	var want []booking.User
	for i := range 7 {
		user := newUser()
		user.CreatedAt = start.Add(-time.Duration(i/3) * time.Microsecond)
		require.NoError(x, x.CreateUser(x.Context(), user))
		want = append(want, user)
	}
	slices.SortFunc(want, func(a, b booking.User) int {
		return booking.Cursor{At: a.CreatedAt, ID: a.ID}.Compare(booking.Cursor{At: b.CreatedAt, ID: b.ID})
	})
	for limit := 1; limit <= len(want)+1; limit++ {
		require.Equal(x, want, collect(x, limit, func(request booking.PageRequest) (booking.Page[booking.User], error) {
			return x.ListUsers(x.Context(), request)
		}), "limit %d", limit)
	}
	all, err := x.ListUsers(x.Context(), booking.PageRequest{})
	require.NoError(x, err)
	require.Equal(x, want, all.Items)
}

func passwordCompares(x *exercise) {
	user := x.createUser()
	x.requireCode(booking.CodeNotFound, x.SetPassword(x.Context(), user.ID, "not the old one", "new"))
	got, err := x.FindUser(x.Context(), user.ID)
	require.NoError(x, err)
	require.Equal(x, user, got)
	require.NoError(x, x.SetPassword(x.Context(), user.ID, user.PasswordHash, "new"))
	got, err = x.FindUser(x.Context(), user.ID)
	require.NoError(x, err)
	require.Equal(x, "new", got.PasswordHash)
}

func onePasswordWins(x *exercise) {
	user := x.createUser()
	hashes := []string{"a", "b", "c", "d", "e", "f"}
	results := together(len(hashes), func(i int) error {
		return x.SetPassword(x.Context(), user.ID, user.PasswordHash, hashes[i])
	})
	require.Equal(x, 1, succeeded(results))
	got, err := x.FindUser(x.Context(), user.ID)
	require.NoError(x, err)
	require.NoError(x, results[slices.Index(hashes, got.PasswordHash)], "the call that succeeded is the one stored")
}
