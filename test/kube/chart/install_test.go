package chart_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/kube/apiserver"
	"trainbooking.dev/test/kube/tools"
)

// installed is a release. Tests with the CRD, which is cluster-wide, need their own server.
type installed struct {
	t      *testing.T
	server *apiserver.Server
}

func (r *installed) helm(args ...string) string {
	r.t.Helper()
	return tools.Run(r.t, r.server.Kubeconfig, "helm", append(args, "--namespace", "rail")...)
}

func (r *installed) kubectl(args ...string) string {
	r.t.Helper()
	return tools.Run(r.t, r.server.Kubeconfig, "kubectl", append(args, "--namespace", "rail")...)
}

// secrets returns the data of every Secret of the release by name.
func (r *installed) secrets() map[string]map[string]string {
	r.t.Helper()
	var list struct {
		Items []struct {
			Metadata struct{ Name string }
			Data     map[string]string
		}
	}
	out := r.kubectl("get", "secrets", "--selector", "app.kubernetes.io/instance=booking", "-o", "json")
	require.NoError(r.t, json.Unmarshal([]byte(out), &list))
	all := map[string]map[string]string{}
	for _, secret := range list.Items {
		all[secret.Metadata.Name] = secret.Data
	}
	return all
}

// chartBeforeSchedules returns the chart as it was when it had Trains only.
func chartBeforeSchedules(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "trainbooking")
	require.NoError(t, os.CopyFS(dir, os.DirFS(chart(t))))
	require.NoError(t, os.Remove(filepath.Join(dir, "crd", "trainbooking.dev_trainschedules.yaml")))
	for _, name := range []string{"_operator.tpl", "rbac-users.yaml"} {
		file := filepath.Join(dir, "templates", name)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		only := regexp.MustCompile(`, trainschedules[^,\]]*`).ReplaceAll(text, nil)
		require.NotContains(t, string(only), "trainschedules")
		require.NoError(t, os.WriteFile(file, only, 0o600))
	}
	return dir
}

func TestChartInstallsUpgradesAndUninstalls(t *testing.T) {
	t.Parallel()
	r := &installed{t: t, server: apiserver.Start(t)}
	r.helm("install", "booking", chartBeforeSchedules(t), "--create-namespace")
	require.NotContains(t, r.kubectl("get", "crds"), "trainschedules")
	generated := r.secrets()
	require.NotEmpty(t, generated)
	for name, data := range generated {
		require.NotEmpty(t, data, name)
	}
	train, err := os.ReadFile("testdata/train.yaml")
	require.NoError(t, err)
	apply(t, r.server, "apply", string(train), "--namespace", "rail")

	r.helm("upgrade", "booking", chart(t), "--set", "logLevel=debug")
	require.Equal(t, generated, r.secrets(), "tokens stay valid")
	require.Contains(t, r.kubectl("get", "trains"), "shatabdi")
	r.kubectl("wait", "crd", "trainschedules.trainbooking.dev", "--for", "condition=Established")
	r.kubectl("apply", "--filename", filepath.Join("..", "..", "..", "docs", "samples"))
	operator := "system:serviceaccount:rail:booking-trainbooking-operator"
	require.Contains(t, r.kubectl("auth", "can-i", "watch", "trainschedules.trainbooking.dev", "--as", operator), "yes")

	r.helm("uninstall", "booking")
	for _, kind := range []string{"trains", "trainschedules"} {
		require.Contains(t, r.kubectl("get", kind), "shatabdi", "the CRDs are kept, and with them every train and schedule")
	}
	remaining := r.kubectl("get", "all,secrets,configmaps,serviceaccounts,roles,rolebindings,leases,pdb,networkpolicies",
		"--selector", "app.kubernetes.io/instance=booking", "-o", "name")
	require.Empty(t, remaining)
	remaining = r.kubectl("get", "clusterroles,clusterrolebindings", "--selector", "app.kubernetes.io/instance=booking", "-o", "name")
	require.Empty(t, remaining)

	r.helm("install", "booking", chart(t)) // adopts the CRDs that were kept
	require.Contains(t, r.kubectl("get", "trains"), "shatabdi")
}

// The autoscaler owns spec.replicas. An upgrade that set it would fail with a conflict or undo
// the autoscaler's change.
func TestUpgradeLeavesTheReplicasToTheAutoscaler(t *testing.T) {
	t.Parallel()
	r := &installed{t: t, server: apiserver.Shared(t)}
	values := []string{
		"--set", "crds.enabled=false", "--set", "operator.enabled=false", // cluster-wide objects, which tests share
		"--set", "database.existingSecret=postgres", "--set", "redis.existingSecret=redis",
		"--set", "autoscaling.enabled=true", "--set", "autoscaling.minReplicas=3",
	}
	r.helm(append([]string{"install", "booking", chart(t), "--create-namespace"}, values...)...)
	r.kubectl("scale", "deployment", "booking-trainbooking", "--replicas", "5")
	r.helm(append([]string{"upgrade", "booking", chart(t), "--set", "logLevel=debug"}, values...)...)
	require.Equal(t, "5", r.kubectl("get", "deployment", "booking-trainbooking", "-o", "jsonpath={.spec.replicas}"))
}

func TestSchemaRefusesWhatCannotRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		values  []string
		refusal string
	}{
		"replicas of an embedded service":      {[]string{"--set", "replicas=2"}, "existingSecret"},
		"an autoscaler of an embedded service": {[]string{"--set", "autoscaling.enabled=true"}, "existingSecret"},
		"replicas without Redis":               {[]string{"--set", "replicas=2", "--set", "database.existingSecret=s"}, "redis"},
		"a key that is misspelt":               {[]string{"--set", "replica=2"}, "replica"},
		"a nested key that is misspelt":        {[]string{"--set", "image.tags=v1"}, "tags"},
		"a number instead of a name":           {[]string{"--set", "image.repository=1"}, "repository"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tools.Try(t, offline, "helm", append([]string{"template", "booking", chart(t)}, c.values...)...)
			require.ErrorContains(t, err, "values don't meet the specifications of the schema")
			require.ErrorContains(t, err, c.refusal)
		})
	}
}
