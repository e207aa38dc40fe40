package chart_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"trainbooking.dev/test/kube/apiserver"
	"trainbooking.dev/test/kube/tools"
)

// offline is the kubeconfig of what asks no API server.
const offline = "/dev/null"

// chart returns the path of a file of the chart, or of the chart.
func chart(t *testing.T, file ...string) string {
	t.Helper()
	root, err := tools.Root()
	require.NoError(t, err)
	return filepath.Join(append([]string{root, "charts", "trainbooking"}, file...)...)
}

// render returns what helm template prints for a release named booking: everything that
// would be applied, and the pods of helm test. Helm believes that the API server has the
// kinds of others that the chart makes.
func render(t *testing.T, namespace string, values ...string) string {
	t.Helper()
	return tools.Run(t, offline, "helm", append([]string{
		"template", "booking", chart(t), "--namespace", namespace,
	}, values...)...)
}

// objects reads manifests.
func objects(t *testing.T, manifests string) (all []*unstructured.Unstructured) {
	t.Helper()
	for _, text := range strings.Split("\n"+manifests, "\n---") {
		object := map[string]any{}
		require.NoError(t, yaml.Unmarshal([]byte(text), &object), text)
		if len(object) > 0 {
			all = append(all, &unstructured.Unstructured{Object: object})
		}
	}
	return all
}

// installOthers makes the API server know the kinds of others that the chart makes when it
// is asked to: those of the Gateway API as they are published, those of the Prometheus
// operator from its types, as it makes them itself.
func installOthers(t *testing.T, server *apiserver.Server) {
	t.Helper()
	gateway, err := tools.Source("crds", "sigs.k8s.io/gateway-api")
	require.NoError(t, err)
	dir := t.TempDir()
	generate := tools.Command(t, offline, "controller-gen", "crd", "output:crd:dir="+dir,
		"paths=github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1")
	root, err := tools.Root()
	require.NoError(t, err)
	generate.Dir = filepath.Join(root, "tools", "crds")
	out, err := generate.CombinedOutput()
	require.NoError(t, err, "%s", out)
	args := []string{"apply", "--server-side"}
	for _, file := range []string{
		filepath.Join(dir, "monitoring.coreos.com_servicemonitors.yaml"),
		filepath.Join(dir, "monitoring.coreos.com_podmonitors.yaml"),
		filepath.Join(dir, "monitoring.coreos.com_prometheusrules.yaml"),
		filepath.Join(gateway, "config", "crd", "standard", "gateway.networking.k8s.io_httproutes.yaml"),
	} {
		args = append(args, "-f", file)
	}
	tools.Run(t, server.Kubeconfig, "kubectl", args...)
	tools.Run(t, server.Kubeconfig, "kubectl", "wait", "crd", "--all", "--for", "condition=Established", "--timeout", "1m")
}
