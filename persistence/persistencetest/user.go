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
	{"UserIsDisabledAndEnabled", userDisabled},
	{"DeletedUserHasNoNameAndFreesIt", userDeleted},
	{"LastEnabledAdminStays", lastAdminStays},
	{"OneOfTwoAdminsWhoDisableEachOtherStays", oneAdminStays},
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

// createAdmin stores a new admin.
func (x *exercise) createAdmin() booking.User {
	x.Helper()
	admin := newUser()
	admin.IsAdmin = true
	require.NoError(x, x.CreateUser(x.Context(), admin))
	return admin
}

// requireUser checks that a user is stored.
func (x *exercise) requireUser(want booking.User) {
	x.Helper()
	got, err := x.FindUser(x.Context(), want.ID)
	require.NoError(x, err)
	require.Equal(x, want, got)
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
		require.Equal(x, want, collect(x, booking.PageRequest{Limit: limit}, func(request booking.PageRequest) (booking.Page[booking.User], error) {
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

func userDisabled(x *exercise) {
	user, other := x.createUser(), x.createUser()
	for _, disabled := range []bool{true, true, false, false} { // idempotent
		user.Disabled = disabled
		changed, err := x.SetDisabled(x.Context(), user.ID, disabled)
		require.NoError(x, err)
		require.Equal(x, user, changed)
		x.requireUser(user)
		found, err := x.FindUserByName(x.Context(), user.Username)
		require.NoError(x, err)
		require.Equal(x, user, found)
	}
	x.requireUser(other)
	_, err := x.SetDisabled(x.Context(), uuid.New(), true)
	x.requireCode(booking.CodeNotFound, err)
}

func userDeleted(x *exercise) {
	user, other := x.createUser(), x.createUser()
	at := start.Add(time.Hour)
	for i := range 2 { // the second does nothing
		require.NoError(x, x.DeleteUser(x.Context(), user.ID, at.Add(time.Duration(i)*time.Hour)))
		x.requireUser(booking.User{ID: user.ID, CreatedAt: user.CreatedAt, DeletedAt: at, Disabled: true})
	}
	require.NoError(x, x.DeleteUser(x.Context(), other.ID, at), "two deleted users do not collide")
	x.requireCode(booking.CodeNotFound, x.DeleteUser(x.Context(), uuid.New(), at))
	_, err := x.SetDisabled(x.Context(), user.ID, false)
	x.requireCode(booking.CodeNotFound, err)
	x.requireCode(booking.CodeNotFound, x.SetPassword(x.Context(), user.ID, user.PasswordHash, "new"))

	for _, name := range []string{user.Username, "", "\x7f" + user.ID.String()} {
		_, err := x.FindUserByName(x.Context(), name)
		x.requireCode(booking.CodeNotFound, err)
	}
	again := user
	again.ID = uuid.New()
	require.NoError(x, x.CreateUser(x.Context(), again), "name and email are free")
	found, err := x.FindUserByName(x.Context(), user.Username)
	require.NoError(x, err)
	require.Equal(x, again, found)
	listed, err := x.ListUsers(x.Context(), booking.PageRequest{})
	require.NoError(x, err)
	require.Equal(x, []booking.User{again}, listed.Items)
}

func lastAdminStays(x *exercise) {
	root, second := x.createAdmin(), x.createAdmin()
	disable := func(u booking.User, disabled bool) error {
		_, err := x.SetDisabled(x.Context(), u.ID, disabled)
		return err
	}
	require.NoError(x, disable(second, true))
	x.requireCode(booking.CodeLastAdmin, disable(root, true))
	x.requireCode(booking.CodeLastAdmin, x.DeleteUser(x.Context(), root.ID, start))
	x.requireUser(root)
	require.NoError(x, disable(root, false), "that changes nothing")
	require.NoError(x, disable(x.createUser(), true), "a user who is no admin")

	require.NoError(x, disable(second, false))
	require.NoError(x, x.DeleteUser(x.Context(), root.ID, start))
	x.requireCode(booking.CodeLastAdmin, disable(second, true))
	require.NoError(x, x.DeleteUser(x.Context(), root.ID, start), "a second time")
}

func oneAdminStays(x *exercise) {
	stays := x.createAdmin()
	for range 5 {
		admins := []booking.User{stays, x.createAdmin()}
		results := together(len(admins), func(i int) error {
			if i == 0 {
				return x.DeleteUser(x.Context(), admins[i].ID, start)
			}
			_, err := x.SetDisabled(x.Context(), admins[i].ID, true)
			return err
		})
		require.Equal(x, 1, succeeded(results))
		i := slices.IndexFunc(results, func(err error) bool { return err != nil })
		x.requireCode(booking.CodeLastAdmin, results[i])
		stays = admins[i]
		x.requireUser(stays)
	}
}
