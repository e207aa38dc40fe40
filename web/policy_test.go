package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/web"
)

func TestPolicyAllowsOnlyTheImportMapInline(t *testing.T) {
	t.Parallel()
	r := get(t, web.New(), "/")
	index := r.body
	scripts := regexp.MustCompile(`(?s)<script([^>]*)>(.*?)</script>`).FindAllStringSubmatch(index, -1)
	require.Len(t, scripts, 2)
	require.Equal(t, ` type="importmap"`, scripts[0][1])
	require.Regexp(t, `^ type="module" src="/assets/main\.[0-9a-f]{12}\.js"$`, scripts[1][1])
	require.Empty(t, scripts[1][2])

	sum := sha256.Sum256([]byte(scripts[0][2]))
	policy := r.header.Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'; script-src 'self' 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"';")
	require.Contains(t, policy, "style-src 'self';")
	require.Contains(t, policy, "require-trusted-types-for 'script'")
	require.NotContains(t, policy, "unsafe")
	require.NotContains(t, policy, "*")
	require.Equal(t, "no-referrer", r.header.Get("Referrer-Policy"))
	require.Equal(t, "nosniff", r.header.Get("X-Content-Type-Options"))

	require.NotRegexp(t, `(?i)\son\w+=|\sstyle=|<style|javascript:`, index)
}

func TestImportMapLeadsToFilesThatExist(t *testing.T) {
	t.Parallel()
	page := web.New()
	script := regexp.MustCompile(`<script type="importmap">(.*?)</script>`).FindStringSubmatch(get(t, page, "/").body)
	var m struct{ Imports map[string]string }
	require.NoError(t, json.Unmarshal([]byte(script[1]), &m))
	require.NotEmpty(t, m.Imports["lit"])
	require.NotEmpty(t, m.Imports["lit/directives/live.js"])
	for name, url := range m.Imports {
		require.True(t, page.Has(url), name)
		require.NotContains(t, name, "//")
		if strings.HasPrefix(name, "/") {
			extension := path.Ext(name)
			require.Regexp(t, `^`+regexp.QuoteMeta(strings.TrimSuffix(name, extension))+`\.[0-9a-f]{12}\`+extension+`$`, url)
		}
	}
}
