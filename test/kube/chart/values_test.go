package chart_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"trainbooking.dev/test/kube/apiserver"
	"trainbooking.dev/test/kube/tools"
)

// everything is the file with every value that adds an object or a field.
func everything(t *testing.T) string {
	t.Helper()
	return chart(t, "tests", "values", "everything.yaml")
}

// valuesFile writes values to a file and returns its path.
func valuesFile(t *testing.T, values map[string]any) string {
	t.Helper()
	text, err := yaml.Marshal(values)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "values.yaml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return file
}

func defaults(t *testing.T) (values map[string]any) {
	t.Helper()
	text, err := os.ReadFile(chart(t, "values.yaml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &values))
	return values
}

// numeric returns a value of each kind of the schema that YAML would read as a number if a template
// did not quote it, or nil where the schema allows none.
func numeric(schema map[string]any) any {
	switch schema["type"] {
	case "string":
		pattern, _ := schema["pattern"].(string)
		if schema["enum"] == nil && schema["format"] == nil && regexp.MustCompile(pattern).MatchString("2024") {
			return "2024"
		}
	case "array":
		if items, _ := schema["items"].(map[string]any); numeric(items) != nil && items["type"] == "string" {
			return []any{numeric(items)}
		}
	case "object":
		values := map[string]any{}
		properties, _ := schema["properties"].(map[string]any)
		for key, property := range properties {
			if value := numeric(property.(map[string]any)); value != nil {
				values[key] = value
			}
		}
		if others, _ := schema["additionalProperties"].(map[string]any); others != nil && numeric(others) != nil {
			values["2024"] = numeric(others)
		}
		return values
	}
	return nil
}

// A name, a label or a class may consist of digits.
func TestAPIServerAcceptsNumericNames(t *testing.T) {
	t.Parallel()
	server := apiserver.Shared(t)
	installCRDs(t, server)
	clients, err := kubernetes.NewForConfig(server.Config)
	require.NoError(t, err)
	_, err = clients.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "2024"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	text, err := os.ReadFile(chart(t, "values.schema.json"))
	require.NoError(t, err)
	var schema map[string]any
	require.NoError(t, json.Unmarshal(text, &schema))
	values := numeric(schema).(map[string]any)
	require.Equal(t, "2024", values["database"].(map[string]any)["existingSecret"])
	require.Equal(t, map[string]any{"2024": "2024"}, values["podLabels"])
	values["imagePullSecrets"] = []any{"2024", map[string]any{"name": "2025"}}
	values["extraEnv"] = []any{map[string]any{"name": "A", "value": "2024"}}
	delete(values, "priorityClassName") // the API server knows no such class
	delete(values["operator"].(map[string]any), "priorityClassName")
	for name, args := range map[string][]string{
		"clustered": {"-f", everything(t), "-f", valuesFile(t, values)},
		"embedded": {
			"-f", chart(t, "tests", "values", "embedded.yaml"),
			"--set", "serviceAccount.create=false,operator.serviceAccount.create=false",
			"--set-string", "persistence.storageClass=2024,nameOverride=2024,backup.existingClaim=2024",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireAccepted(t, server, tools.Run(t, offline, "helm", append([]string{
				"template", "2024", chart(t), "--namespace", "2024",
			}, args...)...), "2024")
		})
	}
}

// Server-side apply refuses a list with the same name twice.
func TestUsersVariablesReplaceThoseOfTheChart(t *testing.T) {
	t.Parallel()
	server := apiserver.Shared(t)
	installCRDs(t, server)
	namespace := server.Namespace(t, nil)
	names := map[string]bool{}
	for _, env := range variables(t, render(t, namespace, "-f", everything(t))) {
		for name := range env {
			names[name] = true
		}
	}
	require.Greater(t, len(names), 40)
	var mine []any
	for _, name := range slices.Sorted(maps.Keys(names)) {
		mine = append(mine, map[string]any{"name": name, "value": "mine"})
	}
	file := valuesFile(t, map[string]any{"extraEnv": mine, "operator": map[string]any{"extraEnv": mine}})
	manifests := render(t, namespace, "-f", everything(t), "-f", file)
	requireAccepted(t, server, manifests, namespace)
	containers := variables(t, manifests)
	require.Len(t, containers, 4, "the service, the operator, the migration and the test")
	for container, env := range containers {
		require.Len(t, env, len(names), container)
		for name, value := range env {
			require.Equal(t, "mine", value, "%s %s", container, name)
		}
	}
}

// variables returns the environment of each container of the chart. It fails the test if a variable
// is set twice.
func variables(t *testing.T, manifests string) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	for _, object := range objects(t, manifests) {
		pod := podOf(t, object)
		if pod == nil {
			continue
		}
		containers, _, err := unstructured.NestedSlice(pod, "spec", "containers")
		require.NoError(t, err)
		env, _, err := unstructured.NestedSlice(containers[0].(map[string]any), "env")
		require.NoError(t, err)
		name := object.GetKind() + " " + object.GetName()
		all[name] = map[string]any{}
		for _, variable := range env {
			key := variable.(map[string]any)["name"].(string)
			require.NotContains(t, all[name], key, name)
			all[name][key] = variable.(map[string]any)["value"]
		}
	}
	return all
}

// A user can remove a section with null, and --reuse-values has no sections that the former chart
// did not have.
func TestSectionsCanBeMissing(t *testing.T) {
	t.Parallel()
	server := apiserver.Shared(t)
	namespace := server.Namespace(t, nil)
	missing := map[string]map[string]any{"no section": {}}
	for key, value := range defaults(t) {
		section, isSection := value.(map[string]any)
		if !isSection {
			missing["no section"][key] = nil
			continue
		}
		missing[key] = map[string]any{key: nil}
		inner := map[string]any{}
		for name := range section {
			inner[name] = nil
		}
		missing["inside "+key] = map[string]any{key: inner}
	}
	for name, values := range missing {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := valuesFile(t, values)
			requireAccepted(t, server, render(t, namespace, "-f", file), namespace)
			_, err := tools.Try(t, offline, "helm", "template", "booking", chart(t), "-f", everything(t), "-f", file)
			if err != nil {
				require.ErrorContains(t, err, "values don't meet the specifications of the schema")
			}
		})
	}
}

// A parent chart may install this one on a condition, set global values and use YAML anchors.
func TestChartWorksAsADependency(t *testing.T) {
	t.Parallel()
	server := apiserver.Shared(t)
	namespace := server.Namespace(t, nil)
	parent := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(parent, "charts", "trainbooking"), os.DirFS(chart(t))))
	for name, text := range map[string]string{
		"Chart.yaml": `{apiVersion: v2, name: parent, version: 1.0.0, dependencies: [{name: trainbooking, version: 0.1.0, condition: trainbooking.enabled}]}`,
		"values.yaml": `
global: {imageRegistry: registry.example.org, storageClass: fast, imagePullSecrets: [pull]}
trainbooking:
  enabled: true
  x-labels: &labels {team: rail}
  podLabels: *labels
  commonLabels: *labels`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(parent, name), []byte(text), 0o600))
	}
	manifests := tools.Run(t, offline, "helm", "template", "booking", parent, "--namespace", namespace)
	require.Contains(t, manifests, "registry.example.org/trainbooking:")
	require.Contains(t, manifests, "registry.example.org/trainbooking-operator:")
	requireAccepted(t, server, manifests, namespace)
	none := tools.Run(t, offline, "helm", "template", "booking", parent, "--set", "trainbooking.enabled=false")
	require.Empty(t, strings.TrimSpace(none))
}
