package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// This fails after a renaming, long before make mutants would.
func TestEveryMutantFitsTheCode(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, m := range mutants {
		_, source, err := m.apply("../..")
		require.NoError(t, err)
		require.NotEmpty(t, source)
		require.NotEmpty(t, m.killedBy, m.name)
		require.False(t, names[m.name], m.name)
		names[m.name] = true
	}
}

// A suite of which a test was renamed would run fewer tests, and let a mutant survive.
func TestEveryNameOfASuiteMatchesATest(t *testing.T) {
	t.Parallel()
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, m := range mutants {
		for _, s := range m.killedBy {
			files, err := filepath.Glob(filepath.Join("..", "..", s.pkg, "*_test.go"))
			require.NoError(t, err)
			var tests []string
			for _, file := range files {
				source, err := os.ReadFile(file)
				require.NoError(t, err)
				for _, match := range declared.FindAllStringSubmatch(string(source), -1) {
					tests = append(tests, match[1])
				}
			}
			for name := range strings.SplitSeq(s.names, "|") {
				name, _, _ = strings.Cut(name, "/") // without the subtest a mutant would survive
				pattern := regexp.MustCompile(name)
				require.True(t, slices.ContainsFunc(tests, pattern.MatchString), "no test of %s matches %s, which kills %s", s.pkg, name, m.name)
			}
		}
	}
}

const example = `package p

type box[T any] struct{}

func (b *box[T]) open() bool {
	b.ring()
	if b.locked() {
		return false
	}
	return true
}

var script = "a and b"
`

func TestEditsChangeOneDeclaration(t *testing.T) {
	t.Parallel()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "p.go", example, parser.SkipObjectResolution)
	require.NoError(t, err)
	edited := func(name string, e edit) string {
		decl := find(file, name)
		require.NotNil(t, decl)
		source, err := e(example, decl, set.File(file.Pos()))
		if err != nil {
			return err.Error()
		}
		return source
	}
	require.Contains(t, edited("box.open", begin("return true")), "bool {\nreturn true\n\n\tb.ring()")
	require.Contains(t, edited("box.open", skip("ring")), "if false { b.ring() }\n")
	require.Contains(t, edited("script", replace("a and ", "")), `script = "b"`)
	require.Equal(t, "has 0 statements that call locked, not 1", edited("box.open", skip("locked")))
	require.Equal(t, `contains "return" 2 times, not 1`, edited("box.open", replace("return", "")))
	require.Equal(t, `is not a function, so "x" cannot be inserted`, edited("script", begin("x")))
	require.Nil(t, find(file, "open"))
	require.Implements(t, (*ast.Node)(nil), find(file, "script"))
}
