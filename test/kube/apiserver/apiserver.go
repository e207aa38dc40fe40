package apiserver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// startTimeout is long because other tests may run on the machine at the same time.
const startTimeout = 2 * time.Minute

// Server is a running Kubernetes API server.
type Server struct {
	// Config is for clients with all rights (the group system:masters). Copy it before
	// changing it.
	Config *rest.Config
	// Kubeconfig is the path of the equivalent file for kubectl and helm.
	Kubeconfig string

	alive *os.File // stops the server when closed; see superviseIn
}

// Shared returns the server of this test binary, which starts at the first call and stops with
// the binary. Each test should use its own Namespace. It is safe for concurrent use.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	s, err := shared()
	require.NoError(tb, err)
	return s
}

var shared = sync.OnceValues(start)

// Start starts a server that stops at the test's cleanup. It takes a few seconds and about
// 300 MB.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s, err := start()
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.alive.Close()) })
	return s
}

// start starts etcd and kube-apiserver on free ports of the loopback interface.
func start() (s *Server, err error) {
	dir, err := os.MkdirTemp("", "trainbooking-apiserver-")
	if err != nil {
		return nil, err
	}
	programs := []string{"etcd", "kube-apiserver"}
	alive, err := superviseIn(dir, programs...)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, logs(dir, programs...))
			_ = alive.Close()
			_ = os.RemoveAll(dir) // if no program was started, no shell removes it
		}
	}()
	env := newEnvironment(dir)
	if err := os.Mkdir(env.ControlPlane.APIServer.CertDir, 0o700); err != nil {
		return nil, err
	}
	config, err := env.Start()
	// envtest writes certificates for webhooks to a directory of its own, and no test has any.
	if err := errors.Join(err, env.WebhookInstallOptions.Cleanup()); err != nil {
		return nil, err
	}
	s = &Server{Config: config, Kubeconfig: filepath.Join(dir, "kubeconfig"), alive: alive}
	return s, os.WriteFile(s.Kubeconfig, env.KubeConfig, 0o600)
}

func newEnvironment(dir string) *envtest.Environment {
	env := &envtest.Environment{ControlPlaneStartTimeout: startTimeout}
	env.ControlPlane.Etcd = &envtest.Etcd{
		Path:    filepath.Join(dir, "etcd"),
		DataDir: filepath.Join(dir, "data"),
	}
	env.ControlPlane.APIServer = &envtest.APIServer{
		Path:    filepath.Join(dir, "kube-apiserver"),
		CertDir: filepath.Join(dir, "certs"),
	}
	return env
}

// Namespace creates a namespace with labels and returns its name. It is not deleted, because
// no controller would complete the deletion.
func (s *Server) Namespace(tb testing.TB, labels map[string]string) string {
	tb.Helper()
	clients, err := kubernetes.NewForConfig(s.Config)
	require.NoError(tb, err)
	namespace, err := clients.CoreV1().Namespaces().Create(tb.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-", Labels: labels},
	}, metav1.CreateOptions{})
	require.NoError(tb, err)
	return namespace.Name
}
