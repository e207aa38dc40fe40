package openapi_test

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// finding is what a linter reports.
type finding struct{ rule, path, message string }

func TestDocumentFollowsTheRulesOfRedocly(t *testing.T) {
	t.Parallel()
	var report struct {
		Problems []struct {
			RuleID, Message string
			Location        []struct{ Pointer string }
		}
	}
	lint(t, tool(t, "redocly", "lint", "--extends=recommended", "--format=json", "--max-problems=1000", document), &report)
	var findings []finding
	for _, p := range report.Problems {
		pointer := strings.Split(p.Location[0].Pointer+"/", "/")
		path := strings.NewReplacer("~1", "/", "~0", "~").Replace(pointer[min(2, len(pointer)-1)])
		findings = append(findings, finding{p.RuleID, path, p.Location[0].Pointer + ": " + p.Message})
	}
	requireOnlyTrailingSlashes(t, "no-path-trailing-slash", findings)
}

func TestDocumentFollowsTheRulesOfSpectral(t *testing.T) {
	t.Parallel()
	var report []struct {
		Code, Message string
		Path          []string
	}
	lint(t, tool(t, "spectral", "lint", "--ruleset=spectral.yaml", "--format=json", "--quiet", document), &report)
	var findings []finding
	for _, p := range report {
		path := ""
		if len(p.Path) > 1 {
			path = p.Path[1]
		}
		findings = append(findings, finding{p.Code, path, strings.Join(p.Path, " ") + ": " + p.Message})
	}
	requireOnlyTrailingSlashes(t, "path-keys-no-trailing-slash", findings)
}

// lint decodes the report of a linter, which fails if it has found something.
func lint(t *testing.T, linter *exec.Cmd, report any) {
	t.Helper()
	out, err := linter.Output()
	exit := new(exec.ExitError)
	if errors.As(err, &exit) {
		require.Equal(t, 1, exit.ExitCode(), "%s%s", out, exit.Stderr)
	} else {
		require.NoError(t, err)
	}
	require.NoError(t, json.Unmarshal(out, report), string(out))
}

// requireOnlyTrailingSlashes requires that every finding is the trailing slash of a path of the Django
// platform. Each such path is found, so the linter has read the document with that rule.
func requireOnlyTrailingSlashes(t *testing.T, rule string, findings []finding) {
	t.Helper()
	found := map[string]bool{}
	for _, f := range findings {
		old := strings.HasPrefix(f.path, "/user/") || strings.HasPrefix(f.path, "/train/")
		require.True(t, f.rule == rule && old, "%s: %s", f.rule, f.message)
		found[f.path] = true
	}
	require.Len(t, found, 11)
}
