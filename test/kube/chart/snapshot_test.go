package chart_test

import (
	"flag"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the snapshot anew")

// drawn is what differs from one rendering to the next: secrets that are drawn where no
// cluster can be asked for those it has, and checksums of what they are in.
var drawn = regexp.MustCompile(`(?m)^(\s+(?:checksum/\S+|jwt-secret|token|secret|tls\.\w+|ca\.crt): ).+$`)

func TestDefaultsAreAsTheyWere(t *testing.T) {
	t.Parallel()
	const snapshot = "testdata/defaults.yaml"
	rendered := drawn.ReplaceAllString(render(t, "rail", "--kube-version", "1.31.0"), "${1}…")
	if *update {
		require.NoError(t, os.WriteFile(snapshot, []byte(rendered), 0o600))
	}
	kept, err := os.ReadFile(snapshot)
	require.NoError(t, err)
	require.Equal(t, string(kept), rendered, "if it is meant to be so: go test ./test/kube/chart -run Defaults -update")
}
