package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// mutant is a rule and the edit that breaks it.
type mutant struct {
	name string
	// pkg and decl are the declaration that is edited, in whatever file it is: a function,
	// a method as "type.method", or a variable or constant of the package.
	pkg, decl string
	edit      edit
	noticedBy []suite // each must
}

// edit changes the source of a declaration. It is an error where it does not fit.
type edit func(source string, decl ast.Node, file *token.File) (string, error)

// begin lets a function begin with other statements. What follows a return is not reached.
func begin(statements string) edit {
	return func(source string, decl ast.Node, file *token.File) (string, error) {
		function, ok := decl.(*ast.FuncDecl)
		if !ok || function.Body == nil {
			return "", fmt.Errorf("is no function, so it cannot begin with %q", statements)
		}
		at := file.Offset(function.Body.Lbrace) + 1
		return source[:at] + "\n" + statements + "\n" + source[at:], nil
	}
}

// skip leaves out the one statement that calls a function or method of a name.
func skip(call string) edit {
	return func(source string, decl ast.Node, file *token.File) (string, error) {
		var found []*ast.ExprStmt
		ast.Inspect(decl, func(n ast.Node) bool {
			statement, ok := n.(*ast.ExprStmt)
			if ok && calls(statement.X, call) {
				found = append(found, statement)
			}
			return true
		})
		if len(found) != 1 {
			return "", fmt.Errorf("has %d statements that call %s, not one", len(found), call)
		}
		from, to := file.Offset(found[0].Pos()), file.Offset(found[0].End())
		return source[:from] + "if false { " + source[from:to] + " }" + source[to:], nil // so that it still compiles
	}
}

func calls(expression ast.Expr, name string) bool {
	call, ok := expression.(*ast.CallExpr)
	if !ok {
		return false
	}
	switch function := call.Fun.(type) {
	case *ast.Ident:
		return function.Name == name
	case *ast.SelectorExpr:
		return function.Sel.Name == name
	}
	return false
}

// replace replaces what the declaration contains once: an expression, or some SQL or Lua.
func replace(old, by string) edit {
	return func(source string, decl ast.Node, file *token.File) (string, error) {
		from, to := file.Offset(decl.Pos()), file.Offset(decl.End())
		if n := strings.Count(source[from:to], old); n != 1 {
			return "", fmt.Errorf("contains %q %d times, not once", old, n)
		}
		return source[:from] + strings.Replace(source[from:to], old, by, 1) + source[to:], nil
	}
}

// apply returns the file of the declaration, below root, and its source as the mutant has it.
func (m mutant) apply(root string) (path, source string, err error) {
	files, err := filepath.Glob(filepath.Join(root, m.pkg, "*.go"))
	if err != nil {
		return "", "", err
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return "", "", err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
		if err != nil {
			return "", "", err
		}
		decl := find(file, m.decl)
		if decl == nil {
			continue
		}
		if source, err = m.edit(string(text), decl, set.File(file.Pos())); err != nil {
			return "", "", fmt.Errorf("mutant %s: %s.%s %w: let its edit in test/mutants/mutants.go follow the code", m.name, m.pkg, m.decl, err)
		}
		_, err = parser.ParseFile(set, name, source, parser.SkipObjectResolution)
		return name, source, err
	}
	return "", "", fmt.Errorf("mutant %s: package %s declares no %s: give it the new name in test/mutants/mutants.go", m.name, m.pkg, m.decl)
}

// find returns the declaration of a name in a file, nil where there is none.
func find(file *ast.File, name string) ast.Node {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if nameOf(d) == name {
				return d
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if value, ok := spec.(*ast.ValueSpec); ok && value.Names[0].Name == name {
					return value
				}
			}
		}
	}
	return nil
}

// nameOf returns the name of a function, and of a method as "type.method".
func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	if pointer, ok := receiver.(*ast.StarExpr); ok {
		receiver = pointer.X
	}
	if generic, ok := receiver.(*ast.IndexExpr); ok {
		receiver = generic.X
	}
	if t, ok := receiver.(*ast.Ident); ok {
		return t.Name + "." + f.Name.Name
	}
	return ""
}

// overlay writes the edited file into dir and returns the path of what go build -overlay reads.
func (m mutant) overlay(root, dir string) (path string, err error) {
	original, source, err := m.apply(root)
	if err != nil {
		return "", err
	}
	if original, err = filepath.Abs(original); err != nil {
		return "", err
	}
	edited := filepath.Join(dir, m.name+".go")
	if err := os.WriteFile(edited, []byte(source), 0o600); err != nil {
		return "", err
	}
	replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{original: edited}})
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, m.name+".json")
	return path, os.WriteFile(path, replaced, 0o600)
}
