package chart_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/kube/apiserver"
	"trainbooking.dev/test/kube/tools"
)

// oneImage is the chart when one image had the service and the operator, without what its defaults leave out.
const oneImage = "testdata/one-image"

func crdChart(t *testing.T) string {
	t.Helper()
	return filepath.Join(filepath.Dir(chart(t)), "trainbooking-crds")
}

// createTrain creates a Train and returns a function that requires that it is still the same one.
func (r *installed) createTrain() (requireKept func()) {
	r.t.Helper()
	train, err := os.ReadFile("testdata/train.yaml")
	require.NoError(r.t, err)
	apply(r.t, r.server, "apply", string(train), "--namespace", "rail")
	uid := func() string { return r.kubectl("get", "trains", "-o", "jsonpath={.items[*].metadata.uid}") }
	created := uid()
	require.NotEmpty(r.t, created)
	return func() { r.t.Helper(); require.Equal(r.t, created, uid()) }
}

// --reuse-values renders the chart without the defaults of new values.
func TestUpgradeKeepsTrainsDataAndSecrets(t *testing.T) {
	t.Parallel()
	r := &installed{t: t, server: apiserver.Start(t)}
	r.helm("install", "booking", oneImage, "--create-namespace", "--set", "image.repository=registry.example.org/trainbooking,image.tag=v1")
	requireKept := r.createTrain()
	secrets := r.secrets()
	claim := r.kubectl("get", "pvc", "booking-trainbooking", "-o", "jsonpath={.metadata.uid}")
	for _, values := range []string{"--reuse-values", "--reset-then-reuse-values"} {
		r.helm("upgrade", "booking", chart(t), values)
		requireKept()
		require.Equal(t, secrets, r.secrets())
		require.Equal(t, claim, r.kubectl("get", "pvc", "booking-trainbooking", "-o", "jsonpath={.metadata.uid}"))
		require.Equal(t, "registry.example.org/trainbooking-operator:v1",
			r.kubectl("get", "deployment", "booking-trainbooking-operator", "-o", "jsonpath={.spec.template.spec.containers[0].image}"))
		env := r.kubectl("get", "deployment", "booking-trainbooking-operator", "-o", "jsonpath={.spec.template.spec.containers[0].env}")
		require.Contains(t, env, `"http://booking-trainbooking.rail.svc:8080"`)
	}
}

func TestMigrationJobIsReplacedWhenItsPodChanges(t *testing.T) {
	t.Parallel()
	r := &installed{t: t, server: apiserver.Shared(t)}
	release := func(verb string, values ...string) {
		r.helm(append([]string{
			verb, "migrated", chart(t), "--create-namespace", "--set", "crds.enabled=false,operator.enabled=false,rbac.aggregate=false",
			"--set", "database.existingSecret=postgres,redis.existingSecret=redis,migrations.job=true",
		}, values...)...)
	}
	job := func() string {
		return r.kubectl("get", "jobs", "--selector", "app.kubernetes.io/instance=migrated", "-o", "name")
	}
	release("install")
	names := map[string]bool{job(): true}
	for _, values := range []string{
		"tolerations[0].operator=Exists", "commonLabels.team=rail", "podLabels.a=b", "image.pullPolicy=Always",
		"imagePullSecrets[0].name=pull", "podSecurityContext.fsGroup=7", "extraEnv[0].name=A", "nodeSelector.a=b",
	} {
		release("upgrade", "--set", values)
		require.NotContains(t, names, job(), values)
		names[job()] = true
	}
	release("upgrade", "--set", "replicas=3")
	release("upgrade", "--set", "replicas=5")
	again := job()
	release("upgrade", "--set", "logLevel=debug")
	require.Equal(t, again, job(), "nothing of its pod has changed")
}

// Each step follows docs/operations.md.
func TestCRDsMoveBetweenReleases(t *testing.T) {
	t.Parallel()
	r := &installed{t: t, server: apiserver.Start(t)}
	r.helm("install", "booking", chart(t), "--create-namespace")
	requireKept := r.createTrain()

	// A second release.
	_, err := tools.Try(t, r.server.Kubeconfig, "helm", "install", "second", chart(t), "--namespace", "rail")
	require.ErrorContains(t, err, "the CRD trains.trainbooking.dev belongs to the release booking in the namespace rail.")
	require.ErrorContains(t, err, "Set crds.enabled=false in this release")
	r.helm("install", "second", chart(t), "--set", "crds.enabled=false")
	r.helm("upgrade", "second", chart(t), "--set", "crds.enabled=false")
	r.helm("uninstall", "second")
	requireKept()

	// A reinstallation under another name.
	r.helm("uninstall", "booking")
	requireKept()
	_, err = tools.Try(t, r.server.Kubeconfig, "helm", "install", "renamed", chart(t), "--namespace", "rail")
	require.ErrorContains(t, err, "install the chart trainbooking-crds with --take-ownership")
	r.helm("install", "renamed", chart(t), "--set", "crds.enabled=false")

	// The chart of the CRDs.
	r.helm("install", "trainbooking-crds", crdChart(t), "--take-ownership")
	require.Equal(t, "trainbooking-crds", r.kubectl("get", "crd", "trains.trainbooking.dev", "-o",
		`jsonpath={.metadata.annotations.meta\.helm\.sh/release-name}`))
	requireKept()
	r.helm("upgrade", "trainbooking-crds", crdChart(t))
	r.helm("install", "second", chart(t), "--set", "crds.enabled=false")
	r.helm("uninstall", "renamed")
	r.helm("uninstall", "second")
	r.helm("uninstall", "trainbooking-crds")
	requireKept()
	r.helm("install", "trainbooking-crds", crdChart(t))
	requireKept()
}

// A release that has installed the CRDs without keeping them deletes none that it has handed over.
func TestCRDsThatAreNotKeptMoveToTheCRDChart(t *testing.T) {
	t.Parallel()
	r := &installed{t: t, server: apiserver.Start(t)}
	r.helm("install", "booking", chart(t), "--create-namespace", "--set", "crds.keep=false")
	requireKept := r.createTrain()
	r.helm("install", "trainbooking-crds", crdChart(t), "--take-ownership")
	r.helm("upgrade", "booking", chart(t), "--reset-then-reuse-values", "--set", "crds.enabled=false")
	requireKept()
	r.helm("uninstall", "booking")
	requireKept()
}

// Helm refuses an object whose CRD is not there before it installs anything.
func TestTrainsInExtraObjectsNeedTheCRDChart(t *testing.T) {
	t.Parallel()
	r := &installed{t: t, server: apiserver.Start(t)}
	train, err := os.ReadFile("testdata/train.yaml")
	require.NoError(t, err)
	file := valuesFile(t, map[string]any{"extraObjects": []any{string(train)}})
	_, err = tools.Try(t, r.server.Kubeconfig, "helm", "install", "booking", chart(t), "--namespace", "rail", "--create-namespace", "-f", file)
	require.ErrorContains(t, err, "ensure CRDs are installed first")
	r.helm("install", "trainbooking-crds", crdChart(t), "--create-namespace")
	r.kubectl("wait", "crd", "trains.trainbooking.dev", "--for", "condition=Established")
	r.helm("install", "booking", chart(t), "--set", "crds.enabled=false", "-f", file)
	require.Contains(t, r.kubectl("get", "trains"), "shatabdi")
}

func TestBothChartsHaveTheSameCRDs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"trainbooking.dev_trains.yaml", "trainbooking.dev_trainschedules.yaml"} {
		mine, err := os.ReadFile(chart(t, "crd", name))
		require.NoError(t, err)
		theirs, err := os.ReadFile(filepath.Join(crdChart(t), "crd", name))
		require.NoError(t, err)
		require.Equal(t, string(theirs), string(mine))
	}
	tools.Run(t, offline, "helm", "lint", "--strict", crdChart(t))
}
