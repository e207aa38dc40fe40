package embedded_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

const newPassword = "a new password"

func TestSetPasswordReplacesAForgottenOneWhileTheServiceRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	processtest.SignUp(t, s.URL, "asha")
	anyone := processtest.NewClient(s.URL)
	old := map[string]any{"username": "asha", "password": password}
	token := anyone.Must(t, 200, "POST", "/user/login/", old).Token.Refresh

	got := processtest.SetPassword(t, " ASHA", newPassword, "--data-dir", dir)
	require.Equal(t, result{Out: "asha has a new password and must log in again.\n"}, got)
	require.Equal(t, "invalid_credentials", anyone.Must(t, 401, "POST", "/user/login/", old).Code)
	anyone.Must(t, 401, "POST", "/user/token/refresh/", map[string]any{"refresh": token})
	processtest.LogIn(t, s.URL, "asha", newPassword)
}

func TestSetPasswordDoesNotEnableADisabledUser(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	processtest.SignUp(t, s.URL, "asha")
	root := createAdmin(t, dir, s.URL)
	var users struct {
		Items []struct{ ID, Username string }
	}
	require.NoError(t, json.Unmarshal(root.Must(t, 200, "GET", "/v1/users", nil).Body, &users))
	require.Equal(t, "asha", users.Items[0].Username)
	root.Must(t, 200, "PATCH", "/v1/users/"+users.Items[0].ID, map[string]any{"disabled": true})
	require.Zero(t, processtest.SetPassword(t, "asha", newPassword, "--data-dir", dir).Code)
	login := map[string]any{"username": "asha", "password": newPassword}
	require.Equal(t, "disabled", processtest.NewClient(s.URL).Must(t, 403, "POST", "/user/login/", login).Code)
}

func TestSetPasswordNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start(t, dir).Stop()
	for _, c := range []struct {
		name, password, dir string
		code                int
		want                string
	}{
		{"asha", newPassword, dir, 1, "No such user"},
		{"", "short", dir, 2, "password must have 8 to 128 characters\n  username must not be empty"},
		{"asha", newPassword, filepath.Join(dir, "elsewhere"), 2, "there is no data in " + filepath.Join(dir, "elsewhere")},
	} {
		got := processtest.SetPassword(t, c.name, c.password, "--data-dir", c.dir)
		require.Equal(t, c.code, got.Code, got.Err)
		require.Contains(t, got.Err, c.want)
		require.NotContains(t, got.Err, c.password)
	}
	_, err := os.Stat(filepath.Join(dir, "elsewhere"))
	require.ErrorIs(t, err, os.ErrNotExist, "no data directory is created")
}
