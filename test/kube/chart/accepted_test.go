package chart_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"trainbooking.dev/test/kube/apiserver"
	"trainbooking.dev/test/kube/tools"
)

// settings returns sets of values that render different objects.
func settings(t *testing.T) map[string][]string {
	t.Helper()
	return map[string][]string{
		"defaults":    nil,
		"demo":        {"-f", chart(t, "values-demo.yaml")},
		"production":  {"-f", chart(t, "values-production.yaml")},
		"embedded":    {"-f", chart(t, "tests", "values", "embedded.yaml")},
		"everything":  {"-f", chart(t, "tests", "values", "everything.yaml")},
		"pod monitor": {"--set", "metrics.monitor=PodMonitor"},
	}
}

func TestLinterAcceptsTheChart(t *testing.T) {
	t.Parallel()
	for name, values := range settings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tools.Run(t, offline, "helm", append([]string{"lint", "--strict", chart(t)}, values...)...)
		})
	}
}

// The namespace enforces the restricted profile of Pod Security. The API server must accept each
// object without a warning about an unknown field or about pods that it would refuse.
func TestAPIServerAcceptsWhatIsRendered(t *testing.T) {
	t.Parallel()
	server := apiserver.Shared(t)
	installCRDs(t, server)
	for name, values := range settings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			namespace := server.Namespace(t, map[string]string{
				"pod-security.kubernetes.io/enforce": "restricted",
				"pod-security.kubernetes.io/warn":    "restricted",
			})
			manifests := render(t, namespace, values...)
			requireAccepted(t, server, manifests, namespace)
			requirePodsAreAdmitted(t, server.Config, namespace, objects(t, manifests))
		})
	}
}

// requireAccepted applies manifests in a dry run. A warning fails the test too.
func requireAccepted(t *testing.T, server *apiserver.Server, manifests, namespace string) {
	t.Helper()
	apply := tools.Command(t, server.Kubeconfig, "kubectl", "apply", "--server-side", "--dry-run=server",
		"--validate=strict", "--namespace", namespace, "-f", "-")
	apply.Stdin = strings.NewReader(manifests)
	var stderr bytes.Buffer
	apply.Stderr = &stderr
	_, err := apply.Output()
	require.NoError(t, err, "%s", &stderr)
	require.Empty(t, stderr.String())
}

// requirePodsAreAdmitted creates a pod of each template in a dry run, because a Deployment is
// admitted even if its pods are not.
func requirePodsAreAdmitted(t *testing.T, config *rest.Config, namespace string, rendered []*unstructured.Unstructured) {
	t.Helper()
	clients, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	var admitted int
	for _, object := range rendered {
		template := podOf(t, object)
		if template == nil {
			continue
		}
		var pod corev1.Pod
		require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(template, &pod))
		pod.GenerateName, pod.Name, pod.Namespace = "test-", "", namespace
		_, err = clients.CoreV1().Pods(namespace).Create(t.Context(), &pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		require.NoError(t, err, "%s %s", object.GetKind(), object.GetName())
		admitted++
	}
	require.GreaterOrEqual(t, admitted, 2, "the pods of the service and the operator")
}

// podOf returns the pod that an object is or the template of those that it creates, or nil.
func podOf(t *testing.T, object *unstructured.Unstructured) map[string]any {
	t.Helper()
	path := []string{"spec", "template"}
	switch object.GetKind() {
	case "Pod":
		return object.Object
	case "CronJob":
		path = []string{"spec", "jobTemplate", "spec", "template"}
	}
	template, _, err := unstructured.NestedMap(object.Object, path...)
	require.NoError(t, err)
	return template
}

// This shows that the test above can fail.
func TestPodThatMayRunAsRootIsRefused(t *testing.T) {
	t.Parallel()
	server := apiserver.Shared(t)
	namespace := server.Namespace(t, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	clients, err := kubernetes.NewForConfig(server.Config)
	require.NoError(t, err)
	for _, object := range objects(t, render(t, namespace)) {
		if object.GetKind() != "Deployment" {
			continue
		}
		template, _, err := unstructured.NestedMap(object.Object, "spec", "template")
		require.NoError(t, err)
		text, err := json.Marshal(template)
		require.NoError(t, err)
		var pod corev1.Pod
		require.NoError(t, json.Unmarshal(bytes.ReplaceAll(text, []byte(`"runAsNonRoot":true`), []byte(`"runAsNonRoot":false`)), &pod))
		pod.GenerateName = "test-"
		_, err = clients.CoreV1().Pods(namespace).Create(t.Context(), &pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		require.ErrorContains(t, err, "runAsNonRoot", object.GetName())
	}
}
