// Package tools finds the programs of Kubernetes that make builds from their modules below
// tools/ into the user's cache: nothing is downloaded as a binary, and a test runs the
// version that the repository pins.
//
//	Path("kubectl")              where it is
//	Run(t, config, "kubectl", …) its output, against the API server of a kubeconfig
//	Try(t, config, "helm", …)    the same where it may fail
//	Source("crds", module)       the files of a module that tools/crds pins
//
// A program that was not built fails the test with the command that builds it.
package tools

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// module is what a program is built from.
type module struct {
	dir  string // below tools/, where go.mod pins it
	path string
	// cached is where the Makefile puts the program, with the versions of the module and of Go.
	cached string
}

var programs = map[string]module{
	"controller-gen": {"generate", "sigs.k8s.io/controller-tools", "controller-gen-%s-%s"},
	"etcd":           {"kube", "k8s.io/kubernetes", "kubernetes-%s-%s/etcd"},
	"helm":           {"helm", "helm.sh/helm/v4", "helm-%s-%s"},
	"kube-apiserver": {"kube", "k8s.io/kubernetes", "kubernetes-%s-%s/kube-apiserver"},
	"kubectl":        {"kube", "k8s.io/kubernetes", "kubernetes-%s-%s/kubectl"},
}

// Path returns the path of a program that make kube-tools has built.
func Path(name string) (string, error) {
	m, known := programs[name]
	if !known {
		return "", fmt.Errorf("no module below tools/ is known to build %s", name)
	}
	version, err := ask(m.dir, "{{.Version}}", m.path)
	if err != nil {
		return "", err
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	path := filepath.Join(cache, "trainbooking", "tools", fmt.Sprintf(m.cached, version, runtime.Version()))
	if _, err := os.Stat(path); err != nil { //nolint:gosec // the cache is the user's
		return "", fmt.Errorf("%s is not built: make kube-tools (%w)", name, err)
	}
	return path, nil
}

// Source returns the directory with the files of a module that tools/dir pins, which are
// downloaded when they are not there.
func Source(dir, path string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	download := exec.Command("go", "mod", "download", path) //nolint:gosec,noctx // ours, and ends
	download.Dir = filepath.Join(root, "tools", dir)
	if out, err := download.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go mod download %s: %w\n%s", path, err, out)
	}
	return ask(dir, "{{.Dir}}", path)
}

// ask returns what tools/dir says of a module.
func ask(dir, format, path string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	return list(filepath.Join(root, "tools", dir), format, path)
}

// Root is the directory of the repository.
var Root = sync.OnceValues(func() (string, error) { return list(".", "{{.Dir}}", "trainbooking.dev") })

func list(dir, format, path string) (string, error) {
	list := exec.Command("go", "list", "-m", "-f", format, path) //nolint:gosec,noctx // ours, and ends
	list.Dir = dir
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("go list -m %s in %s: %w\n%s", path, dir, err, &stderr)
	}
	return strings.TrimSpace(string(out)), nil
}

// Run runs a program with the kubeconfig of that path and returns what it prints. It fails
// the test when the program does.
func Run(tb testing.TB, kubeconfig, name string, args ...string) string {
	tb.Helper()
	out, err := Try(tb, kubeconfig, name, args...)
	require.NoError(tb, err)
	return out
}

// Try is Run that returns the error, with what the program complained of.
func Try(tb testing.TB, kubeconfig, name string, args ...string) (string, error) {
	tb.Helper()
	program := Command(tb, kubeconfig, name, args...)
	var stdout, stderr bytes.Buffer
	program.Stdout, program.Stderr = &stdout, &stderr
	if err := program.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

// Command returns the program, ready to run, which ends with the test.
func Command(tb testing.TB, kubeconfig, name string, args ...string) *exec.Cmd {
	tb.Helper()
	path, err := Path(name)
	require.NoError(tb, err)
	command := exec.CommandContext(tb.Context(), path, args...) //nolint:gosec // the test says what to run
	command.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	return command
}
