package chart_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"trainbooking.dev/test/kube/tools"
)

// A program ignores a variable that it does not know, so a misspelt one would go unnoticed.
func TestProgramsHaveTheSettingsOfTheChart(t *testing.T) {
	t.Parallel()
	service, operator := build(t, "trainbooking"), build(t, "operator")
	known := map[string]map[string]bool{} // flags by container
	for _, file := range []string{"everything.yaml", "embedded.yaml"} {
		for _, object := range objects(t, render(t, "rail", "-f", chart(t, "tests", "values", file), "--set", "operator.class=rail")) {
			pod := podOf(t, object)
			if pod == nil {
				continue
			}
			var c corev1.Container
			containers, _, err := unstructured.NestedSlice(pod, "spec", "containers")
			require.NoError(t, err)
			require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(containers[0].(map[string]any), &c))
			program, prefix := service, "TRAINBOOKING_"
			if c.Name == "operator" {
				program, prefix = operator, "TRAINBOOKING_OPERATOR_"
			}
			if known[c.Name] == nil {
				known[c.Name] = flags(t, program, c.Args[:min(1, len(c.Args))]...)
			}
			for _, variable := range c.Env {
				if name, ours := strings.CutPrefix(variable.Name, prefix); ours {
					require.Contains(t, known[c.Name], strings.ToLower(strings.ReplaceAll(name, "_", "-")), object.GetName())
				}
			}
			for _, arg := range c.Args {
				if name, isFlag := strings.CutPrefix(arg, "--"); isFlag {
					name, _, _ = strings.Cut(name, "=")
					require.Contains(t, known[c.Name], name, object.GetName())
				}
			}
		}
	}
	require.Len(t, known, 5, "the service, the operator, the migration, the backup and the test")
}

// build builds a program.
func build(t *testing.T, name string) string {
	t.Helper()
	root, err := tools.Root()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), name)
	command := exec.CommandContext(t.Context(), "go", "build", "-o", file, "./cmd/"+name)
	command.Dir = root
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return file
}

// flags returns the names of the flags that the help of a command lists.
func flags(t *testing.T, program string, command ...string) map[string]bool {
	t.Helper()
	help, err := exec.CommandContext(t.Context(), program, append(command, "--help")...).CombinedOutput()
	require.NoError(t, err, "%s", help)
	names := map[string]bool{}
	for _, flag := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z0-9-]+)`).FindAllStringSubmatch(string(help), -1) {
		names[flag[1]] = true
	}
	return names
}
