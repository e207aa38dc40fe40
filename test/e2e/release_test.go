//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/kube/tools"
)

var (
	image    = flag.String("e2e.image", "", "the service's image with its tag")
	operator = flag.String("e2e.operator-image", "", "the operator's image with its tag")
	postgres = flag.String("e2e.postgres-image", "", "an image of Postgres with a shell")
	redis    = flag.String("e2e.redis-image", "", "an image of Redis")

	previousChart = flag.String("e2e.previous-chart", "", "the chart of the version before, if it is to be upgraded")
	previousImage = flag.String("e2e.previous-image", "", "the image of the version before, with its tag")
)

// timeout is how long helm and kubectl wait, for example for pods to start on a slow machine.
const timeout = 3 * time.Minute

// release is an installed chart in a namespace that is deleted with the test.
type release struct {
	t         *testing.T
	name      string
	namespace string
	before    []string // objects in the namespace before the chart was installed
	kept      []string // objects that remain after it is uninstalled
	values    []string // the --set flags of all installs and upgrades
}

// newRelease creates a namespace for a release. kept are the objects that uninstalling leaves, in
// order.
func newRelease(t *testing.T, kept ...string) *release {
	t.Helper()
	if os.Getenv("KUBECONFIG") == "" {
		t.Fatal("KUBECONFIG is not set: make e2e KUBECONFIG=FILE IMAGE=…")
	}
	before := clusterWide(t)
	for _, crd := range []string{trainCRD, scheduleCRD} {
		require.NotContains(t, before, "CustomResourceDefinition "+crd, "an earlier run or another release is still installed")
	}
	r := &release{t: t, name: "booking", kept: kept}
	r.namespace = strings.TrimPrefix(strings.TrimSpace(r.apply("create", `{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": {"generateName": "e2e-", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}`)), "namespace/")
	t.Cleanup(func() { r.cleanUp(before) })
	return r
}

// install installs the chart and waits until everything is ready.
func (r *release) install(values ...string) {
	r.t.Helper()
	r.before, r.values = r.inNamespace(), values
	r.deploy("install")
}

// installPrevious installs the version before, if there is its chart, and otherwise this version.
func (r *release) installPrevious(values ...string) {
	r.t.Helper()
	if *previousChart == "" {
		r.t.Log("The upgrade of the version before is not tested: -e2e.previous-chart is not set.")
		r.install(values...)
		return
	}
	r.before, r.values = r.inNamespace(), values
	r.run("install", *previousChart, r.image("image", *previousImage)...)
}

// upgrade sets further values and waits until everything is ready again.
func (r *release) upgrade(values ...string) {
	r.t.Helper()
	r.values = append(r.values, values...)
	r.deploy("upgrade")
}

func (r *release) deploy(verb string) {
	r.t.Helper()
	r.run(verb, filepath.Join("..", "..", "charts", "trainbooking"),
		append(r.image("image", *image), r.image("operator.image", *operator)...)...)
}

// run installs or upgrades a chart with the release's values and further ones.
func (r *release) run(verb, chart string, values ...string) {
	r.t.Helper()
	args := []string{verb, r.name, chart, "--wait", "--timeout", timeout.String()}
	r.helm(slices.Concat(args, values, r.values)...)
}

// image returns the flags that set an image.
func (r *release) image(value, image string) []string {
	r.t.Helper()
	repository, tag, tagged := cutTag(image)
	require.True(r.t, tagged, "the image %q for %s has no tag", image, value)
	return []string{"--set", value + ".repository=" + repository, "--set", value + ".tag=" + tag}
}

// fullname returns the name of the release's objects.
func (r *release) fullname() string { return r.name + "-trainbooking" }

// url returns the URL of the Service inside the cluster.
func (r *release) url() string { return "http://" + r.fullname() + "." + r.namespace + ".svc:8080" }

// cutTag splits an image at its tag, which follows the last colon unless a slash does.
func cutTag(image string) (repository, tag string, tagged bool) {
	i := strings.LastIndexByte(image, ':')
	if i < strings.LastIndexByte(image, '/') {
		return image, "", false
	}
	return image[:max(i, 0)], image[i+1:], i > 0
}

// helm runs helm in the namespace and returns its output.
func (r *release) helm(args ...string) string {
	r.t.Helper()
	return tools.Run(r.t, os.Getenv("KUBECONFIG"), "helm", append([]string{"--namespace", r.namespace}, args...)...)
}

// kubectl runs kubectl in the namespace and returns its output.
func (r *release) kubectl(args ...string) string {
	r.t.Helper()
	return kubectl(r.t, append([]string{"--namespace", r.namespace}, args...)...)
}

func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return strings.TrimSpace(tools.Run(t, os.Getenv("KUBECONFIG"), "kubectl", args...))
}

// apply applies or creates manifests and returns the names of the objects.
func (r *release) apply(verb, manifests string) string {
	r.t.Helper()
	args := []string{verb, "-f", "-", "-o", "name"}
	if r.namespace != "" {
		args = append(args, "--namespace", r.namespace)
	}
	command := tools.Command(r.t, os.Getenv("KUBECONFIG"), "kubectl", args...)
	command.Stdin = strings.NewReader(manifests)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	require.NoError(r.t, err, "%s", &stderr)
	return string(out)
}

// manifests reads a file of testdata and replaces each ${NAME} that is a key of values.
func manifests(t *testing.T, file string, values map[string]string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	require.NoError(t, err)
	return os.Expand(string(text), func(name string) string {
		value, known := values[name]
		if !known {
			return "${" + name + "}"
		}
		return value
	})
}

// cleanUp deletes everything that the test created, and fails the test if anything remains.
func (r *release) cleanUp(before []string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.t.Context()), 2*timeout)
	defer cancel()
	try := func(name string, args ...string) string {
		path, err := tools.Path(name)
		require.NoError(r.t, err)
		out, err := exec.CommandContext(ctx, path, append([]string{"--namespace", r.namespace}, args...)...).CombinedOutput()
		if err != nil {
			r.t.Logf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	if r.t.Failed() {
		r.t.Log(try("kubectl", "get", "all,trains,trainschedules,pvc", "-o", "wide"))
		r.t.Log(try("kubectl", "get", "events", "--sort-by", ".lastTimestamp"))
		r.t.Log(try("kubectl", "logs", "--selector", "app.kubernetes.io/instance="+r.name, "--all-containers", "--prefix", "--tail", "100"))
		r.t.Log(try("kubectl", "logs", "--selector", "batch.kubernetes.io/job-name", "--prefix"))
		try("kubectl", "annotate", "trains,trainschedules", "--all", "trainbooking.dev/abandon=true")
		try("kubectl", "delete", "trains,trainschedules", "--all", "--timeout", "1m")
		try("helm", "uninstall", r.name, "--ignore-not-found", "--wait", "--timeout", "2m")
	}
	try("kubectl", "delete", "crd", trainCRD, scheduleCRD, "--ignore-not-found", "--timeout", "1m")
	try("kubectl", "delete", "namespace", r.namespace, "--timeout", timeout.String())
	r.requireNothingNew(ctx, before)
}
