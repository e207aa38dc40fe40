package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whoever renames what a mutant edits learns it here, not from make mutants.
func TestEveryMutantFitsTheCode(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, m := range mutants {
		_, source, err := m.apply("../..")
		require.NoError(t, err)
		require.NotEmpty(t, source)
		require.NotEmpty(t, m.noticedBy, m.name)
		require.False(t, names[m.name], m.name)
		names[m.name] = true
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
	require.Equal(t, "has 0 statements that call locked, not one", edited("box.open", skip("locked")))
	require.Equal(t, `contains "return" 2 times, not once`, edited("box.open", replace("return", "")))
	require.Equal(t, `is no function, so it cannot begin with "x"`, edited("script", begin("x")))
	require.Nil(t, find(file, "open"))
	require.Implements(t, (*ast.Node)(nil), find(file, "script"))
}
