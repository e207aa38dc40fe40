package apiserver_test

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/kube/apiserver"
	"trainbooking.dev/test/kube/tools"
)

// childEnv, in the environment of a child process, makes the test start a server and wait to
// be killed.
const childEnv = "APISERVER_TEST_CHILD"

func TestServerStopsWhenTheTestBinaryIsKilled(t *testing.T) {
	t.Parallel()
	if os.Getenv(childEnv) != "" {
		server := apiserver.Start(t)
		fmt.Println(server.Kubeconfig)  //nolint:forbidigo // for the parent
		fmt.Println(server.Config.Host) //nolint:forbidigo // for the parent
		select {}
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), childEnv+"=1")
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	kubeconfig := lines.Text()
	require.True(t, lines.Scan(), "%s", kubeconfig)
	require.Equal(t, "ok", tools.Run(t, kubeconfig, "kubectl", "get", "--raw", "/readyz"))

	require.NoError(t, child.Process.Kill())
	require.Error(t, child.Wait(), "killed")
	host, err := url.Parse(lines.Text())
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Dir(kubeconfig))
		_, refused := net.Dial("tcp", host.Host)
		return os.IsNotExist(err) && refused != nil
	}, 30*time.Second, 10*time.Millisecond)
}

func TestPodSecurityOfANamespaceIsEnforced(t *testing.T) {
	t.Parallel()
	server := apiserver.Shared(t)
	namespace := server.Namespace(t, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	_, err := tools.Try(t, server.Kubeconfig, "kubectl", "-n", namespace, "run", "root", "--image", "any", "--dry-run=server")
	require.ErrorContains(t, err, "violates PodSecurity")
	free := server.Namespace(t, nil)
	require.NotEqual(t, namespace, free)
	tools.Run(t, server.Kubeconfig, "kubectl", "-n", free, "run", "root", "--image", "any", "--dry-run=server")
}
