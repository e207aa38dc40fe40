//go:build e2e

package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// serverPods selects the pods of the service.
func (r *release) serverPods() string {
	return "app.kubernetes.io/instance=" + r.name + ",app.kubernetes.io/component=server"
}

// debugProfile lets a debug container send signals to the process of another.
const debugProfile = `{"securityContext": {
	"runAsUser": 65532, "runAsNonRoot": true, "allowPrivilegeEscalation": false,
	"capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}}`

// pods returns the names of the service's pods.
func (r *release) pods() []string {
	r.t.Helper()
	return strings.Fields(r.kubectl("get", "pods", "--selector", r.serverPods(), "-o", "jsonpath={.items[*].metadata.name}"))
}

// awaitPods waits until the service has n pods. Those of before an upgrade take a while to drain.
func (r *release) awaitPods(n int) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return len(r.pods()) == n }, timeout, time.Second)
}

// crash kills the process of a pod without a drain and waits until the pod is ready again. It
// sends SIGABRT, because process 1 ignores SIGKILL from its own PID namespace.
func (r *release) crash(pod string) {
	r.t.Helper()
	restarts := "jsonpath={.status.containerStatuses[0].restartCount}"
	require.Equal(r.t, "0", r.kubectl("get", "pod", pod, "-o", restarts))
	r.signal(pod, "ABRT")
	r.kubectl("wait", "pod", pod, "--for", restarts+"=1", "--timeout", timeout.String())
	r.kubectl("wait", "pod", pod, "--for", "condition=Ready", "--timeout", timeout.String())
}

// signal sends a signal to process 1 of a pod, from a debug container.
func (r *release) signal(pod, name string) {
	r.t.Helper()
	profile := filepath.Join(r.t.TempDir(), "profile.json")
	require.NoError(r.t, os.WriteFile(profile, []byte(debugProfile), 0o600))
	container := r.kubectl("get", "pod", pod, "-o", "jsonpath={.spec.containers[0].name}")
	r.kubectl("debug", pod, "--image", *postgres, "--target", container, "--profile", "restricted", "--custom", profile,
		"--", "sh", "-c", "kill -"+name+" 1")
}
