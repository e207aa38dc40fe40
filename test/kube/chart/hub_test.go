package chart_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"trainbooking.dev/test/kube/tools"
)

// metadata is Chart.yaml as helm show prints it, with the annotations of Artifact Hub
// (https://artifacthub.io/docs/topics/annotations/helm/).
type metadata struct {
	Name, Description, Version, AppVersion, Home, Icon, KubeVersion string
	Annotations                                                     map[string]string
}

func shown(t *testing.T, dir string) (m metadata) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal([]byte(tools.Run(t, offline, "helm", "show", "chart", dir)), &m))
	return m
}

// annotation parses an annotation, which is YAML itself. An unknown field fails the test.
func (m metadata) annotation(t *testing.T, name string, value any) {
	t.Helper()
	text, annotated := m.Annotations["artifacthub.io/"+name]
	require.True(t, annotated, name)
	require.NoError(t, yaml.UnmarshalStrict([]byte(text), value), name)
}

func TestArtifactHubListsTheImagesOfTheChart(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, object := range objects(t, render(t, "rail")) {
		pod := podOf(t, object)
		if pod == nil {
			continue
		}
		for _, container := range pod["spec"].(map[string]any)["containers"].([]any) {
			used[container.(map[string]any)["image"].(string)] = true
		}
	}
	var images []struct{ Name, Image string }
	shown(t, chart(t)).annotation(t, "images", &images)
	listed := map[string]bool{}
	for _, image := range images {
		require.NotEmpty(t, image.Name)
		listed[image.Image] = true
	}
	require.Equal(t, used, listed)
}

func TestArtifactHubListsTheCRDsWithExamples(t *testing.T) {
	t.Parallel()
	root, err := tools.Root()
	require.NoError(t, err)
	samples := readAll[map[string]any](t, filepath.Join(root, "docs", "samples"))
	for _, dir := range []string{chart(t), crdChart(t)} {
		m := shown(t, dir)
		var listed []struct{ Kind, Version, Name, DisplayName, Description string }
		m.annotation(t, "crds", &listed)
		var examples []map[string]any
		m.annotation(t, "crdsExamples", &examples)
		crds := readAll[apiextensions.CustomResourceDefinition](t, filepath.Join(dir, "crd"))
		require.Len(t, listed, len(crds))
		require.Len(t, examples, len(crds))
		for i, crd := range crds {
			require.Equal(t, crd.Name, listed[i].Name)
			require.Equal(t, crd.Spec.Names.Kind, listed[i].Kind)
			require.Equal(t, crd.Spec.Versions[0].Name, listed[i].Version)
			require.Equal(t, strings.Fields(crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Description), strings.Fields(listed[i].Description))
			require.NotEmpty(t, listed[i].DisplayName)
			require.Equal(t, crd.Spec.Names.Kind, examples[i]["kind"])
			require.Contains(t, samples, examples[i], "an API server accepts the samples")
		}
	}
}

// readAll parses the YAML files of a directory, in the order of their names.
func readAll[T any](t *testing.T, dir string) (all []T) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var one T
		require.NoError(t, yaml.Unmarshal(text, &one))
		all = append(all, one)
	}
	return all
}

func TestArtifactHubShowsChangesAndLicense(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{chart(t), crdChart(t)} {
		m := shown(t, dir)
		var changes []struct{ Kind, Description string }
		m.annotation(t, "changes", &changes)
		require.NotEmpty(t, changes)
		for _, change := range changes {
			require.Contains(t, []string{"added", "changed", "deprecated", "removed", "fixed", "security"}, change.Kind)
			require.NotEmpty(t, change.Description)
		}
		var links []struct{ Name, URL string }
		m.annotation(t, "links", &links)
		require.NotEmpty(t, links)
		require.Equal(t, "Apache-2.0", m.Annotations["artifacthub.io/license"])
	}
	require.Equal(t, shown(t, chart(t)).Version, shown(t, crdChart(t)).Version)
	require.Equal(t, shown(t, chart(t)).KubeVersion, shown(t, crdChart(t)).KubeVersion)
}

func TestHelmShowsReadmeAndValues(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{chart(t), crdChart(t)} {
		m := shown(t, dir)
		for _, field := range []string{m.Name, m.Description, m.Version, m.AppVersion, m.Home, m.Icon, m.KubeVersion} {
			require.NotEmpty(t, field, dir)
		}
		readme := tools.Run(t, offline, "helm", "show", "readme", dir)
		require.Contains(t, readme, "# "+m.Name+"\n")
		var values map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(tools.Run(t, offline, "helm", "show", "values", dir)), &values))
		require.NotEmpty(t, values)
		for key := range values {
			require.Regexp(t, "- `"+key+"(\\.[A-Za-z.]+)?` \\(", readme)
		}
	}
}
