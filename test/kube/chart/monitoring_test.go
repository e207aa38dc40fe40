package chart_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/kube/tools"
)

// operations returns docs/operations.md, the runbook of the alerts.
func operations(t *testing.T) string {
	t.Helper()
	root, err := tools.Root()
	require.NoError(t, err)
	page, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	require.NoError(t, err)
	return string(page)
}

func TestOperationsPageExplainsEveryMetricOfAlertsAndDashboard(t *testing.T) {
	t.Parallel()
	page := operations(t)
	rendered := render(t, "rail", "-f", chart(t, "values-production.yaml"))
	suffix := regexp.MustCompile(`_(bucket|sum|count)$`)
	named := map[string]bool{}
	for _, name := range regexp.MustCompile(`trainbooking_[a-z_]+`).FindAllString(rendered, -1) {
		named[suffix.ReplaceAllString(name, "")] = true
	}
	require.Greater(t, len(named), 15)
	for name := range named {
		require.Contains(t, page, "`"+name+"`", "docs/operations.md does not explain it")
	}
}

func TestEachAlertLinksToAnExistingSection(t *testing.T) {
	t.Parallel()
	sections := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(operations(t), -1) {
		anchor := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		sections[strings.ReplaceAll(anchor, " ", "-")] = true
	}
	rules := render(t, "rail", "-f", chart(t, "values-production.yaml"), "-s", "templates/prometheusrule.yaml")
	alerts := strings.Count(rules, "- alert:")
	links := regexp.MustCompile(`runbook_url: \S+/docs/operations\.md#(\S+)`).FindAllStringSubmatch(rules, -1)
	require.Len(t, links, alerts, "each alert has a link")
	for _, link := range links {
		require.Contains(t, sections, link[1])
	}
}
