// Package tools finds the programs of Kubernetes that make kube-tools builds into the user's
// cache, in the versions that the modules below tools/ pin. No binary is downloaded.
//
//	Path("kubectl")              the path of a program
//	Run(t, config, "kubectl", …) its output, with a kubeconfig
//	Try(t, config, "helm", …)    the same, or an error
//	Source("crds", module)       the source of a module that tools/crds pins
//
// A missing program fails the test with the command that builds it.
//
// tools/kube pins k8s.io/kubernetes, every k8s.io staging module and etcd. A go get that names
// all of them at once resolves without a replace directive; etcd must be named, or it is
// upgraded.
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

// module is the module that a program is built from.
type module struct {
	dir  string // below tools/, where go.mod pins it
	path string
	// cached is the program's path in the cache; %s are the versions of the module and of Go.
	cached string
}

var programs = map[string]module{
	"controller-gen": {"generate", "sigs.k8s.io/controller-tools", "controller-gen-%s-%s"},
	"etcd":           {"kube", "k8s.io/kubernetes", "kubernetes-%s-%s/etcd"},
	"helm":           {"helm", "helm.sh/helm/v4", "helm-%s-%s"},
	"kube-apiserver": {"kube", "k8s.io/kubernetes", "kubernetes-%s-%s/kube-apiserver"},
	"kubectl":        {"kube", "k8s.io/kubernetes", "kubernetes-%s-%s/kubectl"},
}

// Path returns the path of a program, or an error that names the make target that builds it.
func Path(name string) (string, error) {
	m, known := programs[name]
	if !known {
		return "", fmt.Errorf("no module below tools/ builds %s", name)
	}
	version, err := describe(m.dir, "{{.Version}}", m.path)
	if err != nil {
		return "", err
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	path := filepath.Join(cache, "trainbooking", "tools", fmt.Sprintf(m.cached, version, runtime.Version()))
	if _, err := os.Stat(path); err != nil { //nolint:gosec // the user controls the cache
		return "", fmt.Errorf("%s is not built: make kube-tools (%w)", name, err)
	}
	return path, nil
}

// Source returns the directory with the source of a module that tools/dir pins, after
// downloading it if necessary.
func Source(dir, path string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	download := exec.Command("go", "mod", "download", path) //nolint:gosec,noctx // the arguments are constants
	download.Dir = filepath.Join(root, "tools", dir)
	if out, err := download.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go mod download %s: %w\n%s", path, err, out)
	}
	return describe(dir, "{{.Dir}}", path)
}

// describe formats a module that tools/dir pins.
func describe(dir, format, path string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	return list(filepath.Join(root, "tools", dir), format, path)
}

// Root returns the directory of the repository.
var Root = sync.OnceValues(func() (string, error) { return list(".", "{{.Dir}}", "trainbooking.dev") })

func list(dir, format, path string) (string, error) {
	list := exec.Command("go", "list", "-m", "-f", format, path) //nolint:gosec,noctx // the arguments are constants
	list.Dir = dir
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("go list -m %s in %s: %w\n%s", path, dir, err, &stderr)
	}
	return strings.TrimSpace(string(out)), nil
}

// Run runs a program with a kubeconfig and returns its standard output. It fails the test if the
// program fails.
func Run(tb testing.TB, kubeconfig, name string, args ...string) string {
	tb.Helper()
	out, err := Try(tb, kubeconfig, name, args...)
	require.NoError(tb, err)
	return out
}

// Try is like Run, but returns an error, which contains the program's standard error.
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

// Command returns the command, which is killed when the test ends.
func Command(tb testing.TB, kubeconfig, name string, args ...string) *exec.Cmd {
	tb.Helper()
	path, err := Path(name)
	require.NoError(tb, err)
	command := exec.CommandContext(tb.Context(), path, args...) //nolint:gosec // the test chooses the command
	command.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	return command
}
