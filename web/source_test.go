package web_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/web"
)

const (
	maxLines     = 300
	maxFirstView = 40_000 // bytes of gzip
)

// sources returns the files below a folder, by name.
func sources(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(folder, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		files[filepath.ToSlash(name)] = string(content)
		return err
	}))
	return files
}

func TestSourcesAreShort(t *testing.T) {
	t.Parallel()
	for name, content := range sources(t, "app") {
		require.LessOrEqual(t, strings.Count(content, "\n"), maxLines, name)
	}
}

func TestNothingIsLoadedFromOtherHosts(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"app", "vendor"} {
		for name, content := range sources(t, folder) {
			if strings.HasSuffix(name, "LICENSE") {
				continue
			}
			content = strings.ReplaceAll(content, `xmlns="http://www.w3.org/2000/svg"`, "")
			require.NotRegexp(t, `(?i)(https?|wss?):\/\/|["'(]\/\/\w`, content, name)
		}
	}
}

// The policy would block it, but only a browser would show that.
func TestTemplatesHaveNoStyles(t *testing.T) {
	t.Parallel()
	for name, content := range sources(t, "app") {
		require.NotRegexp(t, `[\s<]style=|<style|styleMap|unsafeHTML|innerHTML|\beval\(|new Function`, content, name)
	}
}

func TestVendoredFilesAreThoseOfTheirHashes(t *testing.T) {
	t.Parallel()
	files := sources(t, "vendor")
	sums := files["vendor/SHA256SUMS"]
	delete(files, "vendor/SHA256SUMS")
	require.Len(t, files, strings.Count(sums, "\n"))
	for name, content := range files {
		sum := sha256.Sum256([]byte(content))
		require.Contains(t, sums, hex.EncodeToString(sum[:])+"  "+strings.TrimPrefix(name, "vendor/")+"\n")
	}
	for _, licence := range []string{"lit", "lit-html", "lit-element", "@lit/reactive-element"} {
		require.Contains(t, files["vendor/"+licence+"/LICENSE"], "BSD 3-Clause License")
	}
}

var routePath = regexp.MustCompile(`\{ path: '(/[^']*)'`)

func TestEveryViewHasAPathThatIsServed(t *testing.T) {
	t.Parallel()
	routes := routePath.FindAllStringSubmatch(sources(t, "app")["app/routes.js"], -1)
	require.NotEmpty(t, routes)
	for _, route := range routes {
		require.Contains(t, web.Paths, route[1])
	}
}

func TestEveryStylesheetThatIsLoadedLaterExists(t *testing.T) {
	t.Parallel()
	files, found := served(t), 0
	for name, content := range files {
		for _, match := range regexp.MustCompile(`import\.meta\.resolve\('([^']+)'\)`).FindAllStringSubmatch(content, -1) {
			if name != "styles.js" { // which has an example
				require.NotEmpty(t, files[path.Join(path.Dir(name), match[1])], match[1])
				found++
			}
		}
	}
	require.Positive(t, found)
}

var dynamicImport = regexp.MustCompile(`\bimport\('\./([^']+)'\)`)

func TestEveryModuleIsImported(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, entry := range append(lazyModules(t), "main.js") {
		for _, name := range web.ModulesOf(entry) {
			found[name] = true
		}
	}
	for name := range served(t) {
		require.True(t, found[name] || path.Ext(name) != ".js" || name == "types.js", name)
	}
}

// lazyModules returns the names of the modules that the page loads when they are needed. Only modules in
// app itself load others.
func lazyModules(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, content := range sources(t, "app") {
		for _, match := range dynamicImport.FindAllStringSubmatch(content, -1) {
			names = append(names, match[1])
		}
	}
	require.NotEmpty(t, names)
	return names
}

// served returns the content of every asset, by its name without the hash.
func served(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for name, content := range sources(t, "app") {
		files[strings.TrimPrefix(name, "app/")] = content
	}
	for name, content := range sources(t, "vendor") {
		files[name] = content
	}
	return files
}

// The first view is the search, with all that index.html loads.
func TestFirstViewIsSmall(t *testing.T) {
	t.Parallel()
	names := append(web.ModulesOf("main.js"), web.ModulesOf("views/search.js")...)
	files := served(t)
	for _, match := range regexp.MustCompile(`href="/assets/([^"]+)"`).FindAllStringSubmatch(files["index.html"], -1) {
		names = append(names, match[1])
	}
	size := gzipped(t, get(t, web.New(), "/").body)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		require.NotEmpty(t, files[name], name)
		size += gzipped(t, files[name])
	}
	t.Logf("the first view has %d bytes", size)
	require.LessOrEqual(t, size, maxFirstView)
}

func gzipped(t *testing.T, content string) int {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	require.NoError(t, err)
	_, err = z.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Len()
}
