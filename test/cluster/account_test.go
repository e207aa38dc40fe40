package cluster_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

// What one process or a command changes about a user holds for every process.
func TestUserIsTheSameInEveryProcess(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 2)
	one, other := processtest.NewClient(c.nodes[0].URL), processtest.NewClient(c.nodes[1].URL)
	processtest.SignUp(t, c.url, "asha")
	login := map[string]any{"username": "asha", "password": processtest.Password}
	token := one.Must(t, 200, "POST", "/user/login/", login).Token.Refresh
	const newPassword = "a new password"
	got := processtest.SetPassword(t, "asha", newPassword, "--database-url", c.database)
	require.Zero(t, got.Code, got.Err)
	other.Must(t, 401, "POST", "/user/token/refresh/", map[string]any{"refresh": token})
	other.Must(t, 401, "POST", "/user/login/", login)
	login["password"] = newPassword
	token = one.Must(t, 200, "POST", "/user/login/", login).Token.Refresh
	refresh := map[string]any{"refresh": token}
	token = one.Must(t, 200, "POST", "/user/token/refresh/", refresh).Refresh
	require.Equal(t, token, other.Must(t, 200, "POST", "/user/token/refresh/", refresh).Refresh, "as after a lost reply")

	var users struct {
		Items []struct{ ID, Username string }
	}
	admin := c.admin.At(one.URL)
	require.NoError(t, json.Unmarshal(admin.Must(t, 200, "GET", "/v1/users", nil).Body, &users))
	for _, u := range users.Items {
		if u.Username == "asha" {
			admin.Must(t, 200, "PATCH", "/v1/users/"+u.ID, map[string]any{"disabled": true})
		}
	}
	other.Must(t, 401, "POST", "/user/token/refresh/", map[string]any{"refresh": token})
	require.Equal(t, "disabled", other.Must(t, 403, "POST", "/user/login/", login).Code)
}

// Who alternates between processes has no more attempts than at one. All clients of a test have one
// address.
func TestAttemptsAreCountedInAllProcesses(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 2, "--registrations", "3")
	processes := []*processtest.Client{processtest.NewClient(c.nodes[0].URL), processtest.NewClient(c.nodes[1].URL)}
	for i, name := range []string{"asha", "ravi", "amit"} {
		processtest.SignUp(t, processes[i%2].URL, name)
	}
	user := map[string]any{
		"username": "devi", "email": "devi@example.org", "password": processtest.Password, "password2": processtest.Password,
	}
	wrong := map[string]any{"username": "asha", "password": "a wrong password"}
	right := map[string]any{"username": "asha", "password": processtest.Password}
	for i := range 10 {
		processes[i%2].Must(t, 401, "POST", "/user/login/", wrong)
	}
	for _, p := range processes {
		require.Equal(t, "rate_limited", p.Must(t, 429, "POST", "/user/register/", user).Code)
		require.Equal(t, "rate_limited", p.Must(t, 429, "POST", "/user/login/", right).Code)
	}
	processtest.LogIn(t, processes[0].URL, "ravi", processtest.Password)
}
