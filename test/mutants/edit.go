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
	// pkg and decl name the declaration to edit: a function, a method as "type.method", or a
	// variable or constant of the package.
	pkg, decl string
	edit      edit
	killedBy  []suite // each of them must fail
}

// edit changes the source of a declaration. It returns an error if it does not fit.
type edit func(source string, decl ast.Node, file *token.File) (string, error)

// begin inserts statements at the beginning of a function.
func begin(statements string) edit {
	return func(source string, decl ast.Node, file *token.File) (string, error) {
		function, ok := decl.(*ast.FuncDecl)
		if !ok || function.Body == nil {
			return "", fmt.Errorf("is not a function, so %q cannot be inserted", statements)
		}
		at := file.Offset(function.Body.Lbrace) + 1
		return source[:at] + "\n" + statements + "\n" + source[at:], nil
	}
}

// skip removes the only statement that calls a function or method with this name.
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
			return "", fmt.Errorf("has %d statements that call %s, not 1", len(found), call)
		}
		from, to := file.Offset(found[0].Pos()), file.Offset(found[0].End())
		// if false, because without the statement a variable may be unused.
		return source[:from] + "if false { " + source[from:to] + " }" + source[to:], nil
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

// replace replaces text that occurs once in the declaration, such as an expression or SQL.
func replace(old, by string) edit {
	return func(source string, decl ast.Node, file *token.File) (string, error) {
		from, to := file.Offset(decl.Pos()), file.Offset(decl.End())
		if n := strings.Count(source[from:to], old); n != 1 {
			return "", fmt.Errorf("contains %q %d times, not 1", old, n)
		}
		return source[:from] + strings.Replace(source[from:to], old, by, 1) + source[to:], nil
	}
}

// apply returns the path of the declaration's file, below root, and its source with the edit.
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
			return "", "", fmt.Errorf("mutant %s: %s.%s %w: update its edit in test/mutants/mutants.go", m.name, m.pkg, m.decl, err)
		}
		_, err = parser.ParseFile(set, name, source, parser.SkipObjectResolution)
		return name, source, err
	}
	return "", "", fmt.Errorf("mutant %s: package %s does not declare %s: update its name in test/mutants/mutants.go", m.name, m.pkg, m.decl)
}

// find returns the declaration of a name in a file, or nil.
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

// nameOf returns the name of a function, or "type.method" for a method.
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

// overlay writes the edited file into dir and returns the path of a file for go build -overlay.
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
