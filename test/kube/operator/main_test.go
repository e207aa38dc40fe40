package operator_test

import (
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"trainbooking.dev/operator/v1alpha1"
	"trainbooking.dev/test/kube/apiserver"
	"trainbooking.dev/test/kube/tools"
	"trainbooking.dev/test/processtest"
)

// cluster is the API server of the package, with the CRDs.
type cluster struct {
	*apiserver.Server
	client.Client
}

// sharedCluster returns the cluster and starts it at the first call.
func sharedCluster(tb testing.TB) *cluster {
	tb.Helper()
	server := apiserver.Shared(tb)
	var err error
	installed.Do(func() {
		var root string
		if root, err = tools.Root(); err != nil {
			return
		}
		_, err = envtest.InstallCRDs(server.Config, envtest.CRDInstallOptions{
			Paths: []string{filepath.Join(root, "charts", "trainbooking", "crd")}, ErrorIfPathMissing: true,
		})
	})
	require.NoError(tb, err)
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgo.AddToScheme, apiextensions.AddToScheme, v1alpha1.AddToScheme} {
		require.NoError(tb, add(scheme))
	}
	c, err := client.New(server.Config, client.Options{Scheme: scheme})
	require.NoError(tb, err)
	return &cluster{Server: server, Client: c}
}

var installed sync.Once

func TestMain(m *testing.M) {
	processtest.Main(m, processtest.HasRaceDetector(), "operator", "kubectl-trains")
}
