//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/kube/tools"
)

// The CRDs, and the lease of the operator's leader election as list returns it, of the version before.
const (
	trainCRD      = "trains.trainbooking.dev"
	scheduleCRD   = "trainschedules.trainbooking.dev"
	previousLease = "Lease operator.trainbooking.dev"
)

// lease returns the lease of a release's operator.
func lease(release string) string { return "Lease " + release + "-trainbooking-operator" }

// clusterWide lists the kind and name of every object outside namespaces.
func clusterWide(t *testing.T) []string {
	t.Helper()
	objects, err := list(t.Context(), "", "--namespaced=false")
	require.NoError(t, err)
	return objects
}

// inNamespace lists every object in the release's namespace except events.
func (r *release) inNamespace() []string {
	r.t.Helper()
	objects, err := list(r.t.Context(), r.namespace, "--namespaced=true")
	require.NoError(r.t, err)
	return objects
}

// requireNothingNew waits until the cluster has no more objects than before. Provisioned volumes
// are deleted some time after their claims.
func (r *release) requireNothingNew(ctx context.Context, before []string) {
	require.EventuallyWithT(r.t, func(c *assert.CollectT) {
		now, err := list(ctx, "", "--namespaced=false")
		require.NoError(c, err)
		require.Empty(c, slices.DeleteFunc(now, func(object string) bool { return slices.Contains(before, object) }))
	}, time.Minute, time.Second, "left behind")
}

// list returns every object of all kinds that can be deleted, as "Kind name".
func list(ctx context.Context, namespace, which string) ([]string, error) {
	run := func(args ...string) (string, error) {
		path, err := tools.Path("kubectl")
		if err != nil {
			return "", err
		}
		command := exec.CommandContext(ctx, path, args...)
		var stderr bytes.Buffer // it also contains warnings about deprecated kinds
		command.Stderr = &stderr
		out, err := command.Output()
		if err != nil {
			err = fmt.Errorf("kubectl %s: %w\n%s", args[0], err, &stderr)
		}
		return strings.TrimSpace(string(out)), err
	}
	kinds, err := run("api-resources", which, "--verbs", "list,delete", "-o", "name")
	if err != nil {
		return nil, err
	}
	// Events outlive their objects and expire.
	names := slices.DeleteFunc(strings.Fields(kinds), func(name string) bool { return strings.HasPrefix(name, "events") })
	out, err := run("get", strings.Join(names, ","), "--namespace", namespace, "--no-headers",
		"-o", "custom-columns=KIND:.kind,NAME:.metadata.name")
	if err != nil || out == "" {
		return nil, err
	}
	objects := strings.Split(out, "\n")
	for i, line := range objects {
		objects[i] = strings.Join(strings.Fields(line), " ")
	}
	slices.Sort(objects)
	return slices.Compact(objects), nil // some kinds exist in two API groups
}
