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

// offline is the kubeconfig of commands that need no API server.
const offline = "/dev/null"

// chart returns the path of the chart or of a file in it.
func chart(t *testing.T, file ...string) string {
	t.Helper()
	root, err := tools.Root()
	require.NoError(t, err)
	return filepath.Join(append([]string{root, "charts", "trainbooking"}, file...)...)
}

// render returns what helm template prints for a release named booking, including the pod of
// helm test.
func render(t *testing.T, namespace string, values ...string) string {
	t.Helper()
	return tools.Run(t, offline, "helm", append([]string{
		"template", "booking", chart(t), "--namespace", namespace,
	}, values...)...)
}

// objects parses manifests.
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

// installCRDs installs the CRDs of the optional objects: the Gateway API's as published, the
// Prometheus operator's generated from its Go types.
func installCRDs(t *testing.T, server *apiserver.Server) {
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
