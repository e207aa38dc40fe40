//go:build e2e

package e2e_test

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"
)

// serving selects the pods of the service.
const serving = "app.kubernetes.io/instance=" + booking + ",app.kubernetes.io/component=server"

// asTheService is the security context of a container that may signal the service's.
const asTheService = `{"securityContext": {
	"runAsUser": 65532, "runAsNonRoot": true, "allowPrivilegeEscalation": false,
	"capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}}`

// pods returns the names of the service's pods.
func (r *release) pods() []string {
	r.t.Helper()
	return strings.Fields(r.kubectl("get", "pods", "--selector", serving, "-o", "jsonpath={.items[*].metadata.name}"))
}

// crash ends the process of a pod at once, without a drain: SIGABRT, as a process is safe
// from SIGKILL by those in its own namespace. It returns when the pod is ready again.
func (r *release) crash(pod string) {
	r.t.Helper()
	restarts := "jsonpath={.status.containerStatuses[0].restartCount}"
	require.Equal(r.t, "0", r.kubectl("get", "pod", pod, "-o", restarts))
	profile := filepath.Join(r.t.TempDir(), "profile.json")
	require.NoError(r.t, os.WriteFile(profile, []byte(asTheService), 0o600))
	container := r.kubectl("get", "pod", pod, "-o", "jsonpath={.spec.containers[0].name}")
	r.kubectl("debug", pod, "--image", *postgres, "--target", container, "--profile", "restricted", "--custom", profile,
		"--", "sh", "-c", "kill -ABRT 1")
	r.kubectl("wait", "pod", pod, "--for", restarts+"=1", "--timeout", patience.String())
	r.kubectl("wait", "pod", pod, "--for", "condition=Ready", "--timeout", patience.String())
}
