package web

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"
)

// mark is the comment in index.html that the import map and the preload links replace.
const mark = "<!-- import map -->"

// mains are the modules that a browser loads for the bare name of a package.
var mains = map[string]string{
	"lit":                   "lit/index.js",
	"lit-html":              "lit-html/lit-html.js",
	"@lit/reactive-element": "@lit/reactive-element/reactive-element.js",
}

var assetInHTML = regexp.MustCompile(`"` + prefix + `[^"]+"`)

// buildIndex returns index.html with hashed names, and the hash of its import map for the policy.
func buildIndex(assets []asset) (index *file, scriptHash string) {
	source, err := embedded.ReadFile("app/index.html")
	if err != nil {
		panic(err) // it is in the binary
	}
	urls := map[string]string{}
	for _, a := range assets {
		urls[a.plain] = a.url
	}
	script := importMap(urls)
	head := []string{`<script type="importmap">` + script + `</script>`}
	// Otherwise a browser finds the imports of a module only when it has the module.
	for _, module := range modulesOf(assets, prefix+"main.js") {
		head = append(head, `<link rel="modulepreload" href="`+urls[module]+`">`)
	}
	html := assetInHTML.ReplaceAllStringFunc(string(source), func(quoted string) string {
		return `"` + urls[strings.Trim(quoted, `"`)] + `"`
	})
	html = strings.Replace(html, mark, strings.Join(head, "\n  "), 1)
	sum := sha256.Sum256([]byte(script))
	return newFile("text/html; charset=utf-8", []byte(html)), "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// importMap maps the names in the sources to the hashed ones, for imports, and for stylesheets that a module
// finds with import.meta.resolve. A browser resolves a relative name to a URL before it looks it up, so these
// names are URLs.
func importMap(urls map[string]string) string {
	imports := map[string]string{}
	for plain, url := range urls {
		if name, ok := strings.CutPrefix(plain, prefix+"vendor/"); ok {
			imports[name] = url
		}
		imports[plain] = url
	}
	for name, main := range mains {
		imports[name] = imports[main]
	}
	script, err := json.Marshal(map[string]any{"imports": imports})
	if err != nil {
		panic(err) // they are strings
	}
	return string(script)
}

var (
	blockComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	staticImport = regexp.MustCompile(
		`(?:^|[;}\n])\s*(?:import\s*(?:[\w\s{},*$]+\bfrom\s*)?|export\s*(?:\*|\{[^}]*\})\s*from\s*)["']([^"']+)["']`)
)

// modulesOf returns the plain URLs of a module and of all that it imports, directly or not, except those
// that it loads later with import(). It panics if one is missing; a test finds that.
func modulesOf(assets []asset, entry string) []string {
	sources := map[string][]byte{}
	for _, a := range assets {
		sources[a.plain] = a.content
	}
	modules := []string{entry}
	for i := 0; i < len(modules); i++ {
		source, ok := sources[modules[i]]
		if !ok {
			panic("web: no module " + modules[i])
		}
		for _, match := range staticImport.FindAllSubmatch(blockComment.ReplaceAll(source, nil), -1) {
			if imported := resolve(string(match[1]), modules[i]); !slices.Contains(modules, imported) {
				modules = append(modules, imported)
			}
		}
	}
	return modules
}

// resolve returns the plain URL of a name that a module imports.
func resolve(name, module string) string {
	if strings.HasPrefix(name, ".") {
		return path.Join(path.Dir(module), name)
	}
	if main, ok := mains[name]; ok {
		name = main
	}
	return prefix + "vendor/" + name
}
