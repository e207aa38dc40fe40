package chart_test

import (
	"flag"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "update the snapshot")

// generated matches what differs between two renderings: secrets, which are new each time
// without a cluster to look them up in.
var generated = regexp.MustCompile(`(?m)^(\s+"?(?:jwt-secret|token|secret|tls\.\w+|ca\.crt)"?: ).+$`)

func TestDefaultsMatchTheSnapshot(t *testing.T) {
	t.Parallel()
	const snapshot = "testdata/defaults.yaml"
	rendered := generated.ReplaceAllString(render(t, "rail", "--kube-version", "1.31.0"), "${1}…")
	if *update {
		require.NoError(t, os.WriteFile(snapshot, []byte(rendered), 0o600))
	}
	want, err := os.ReadFile(snapshot)
	require.NoError(t, err)
	require.Equal(t, string(want), rendered, "to accept the change: go test ./test/kube/chart -run Defaults -update")
}
