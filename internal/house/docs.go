package house

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// minDocLines is the least that a package comment can say anything in.
const minDocLines = 3

// A package comment of an internal room tells three things. The patterns accept the usual ways to say them.
var docMust = []struct {
	what    string
	pattern *regexp.Regexp
}{
	{"what comes in", regexp.MustCompile(`(?i)\b(in:|comes? in|goes in|takes?|receives?|reads?|given|accepts?|input)`)},
	{"what goes out", regexp.MustCompile(`(?i)\b(out:|comes? out|goes? out|returns?|gives?|hands?|yields?|produces?|writes?|output)`)},
	{"what it never does", regexp.MustCompile(`(?i)\bnever\b`)},
}

// checkNames refuses package names that say nothing.
func checkNames(tree *Tree, pkg *Package) []Problem {
	file := pkg.Files[0]
	for _, name := range []string{path.Base(pkg.Dir), strings.TrimSuffix(file.AST.Name.Name, "_test")} {
		if slices.Contains(forbiddenNames, name) {
			return []Problem{{file.Path, tree.line(file.AST.Name.Pos()), "name", fmt.Sprintf(
				"a package named %q says nothing about what it holds: name it after the thing it is about", name)}}
		}
	}
	return nil
}

// checkDoc wants a doc.go with a package comment that explains the package.
func checkDoc(tree *Tree, pkg *Package, room Room) []Problem {
	index := slices.IndexFunc(pkg.Files, func(file *File) bool { return path.Base(file.Path) == "doc.go" })
	if index < 0 {
		return []Problem{{path.Join(pkg.Dir, "doc.go"), 1, "doc", fmt.Sprintf(
			"package %s has no doc.go: add one whose package comment says what comes in, what goes out and what it never does", pkg.Dir)}}
	}
	file := pkg.Files[index]
	text := strings.TrimSpace(file.AST.Doc.Text())
	line := tree.line(file.AST.Package)
	if lines := len(strings.Split(text, "\n")); text == "" || lines < minDocLines {
		return []Problem{{file.Path, line, "doc", fmt.Sprintf(
			"the package comment has %d lines, at least %d are wanted: say what the package is for", countLines(text), minDocLines)}}
	}
	if !within(pkg.Dir, "internal") || room.Kind == Test {
		return nil
	}
	var problems []Problem
	for _, must := range docMust {
		if !must.pattern.MatchString(text) {
			problems = append(problems, Problem{file.Path, line, "doc", fmt.Sprintf(
				"the package comment does not say %s: add a sentence (words looked for: %s)", must.what, must.pattern)})
		}
	}
	return problems
}

// checkExported wants a doc comment on each exported identifier. A comment on a group of constants or variables,
// or at the end of a line within it, counts for that group or line.
func checkExported(tree *Tree, file *File) []Problem {
	if file.Generated {
		return nil
	}
	var problems []Problem
	want := func(ident *ast.Ident, docs ...*ast.CommentGroup) {
		if !ident.IsExported() || slices.ContainsFunc(docs, func(doc *ast.CommentGroup) bool { return doc != nil }) {
			return
		}
		problems = append(problems, Problem{file.Path, tree.line(ident.Pos()), "comment", fmt.Sprintf(
			"exported %s has no doc comment: say what it means to a caller", ident.Name)})
	}
	for _, decl := range file.AST.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if exportedReceiver(decl) && !wellKnown[decl.Name.Name] {
				want(decl.Name, decl.Doc)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				wantSpec(want, decl, spec)
			}
		}
	}
	return problems
}

// wantSpec asks for a comment on each name that one line of a type, const or var declaration declares.
func wantSpec(want func(*ast.Ident, ...*ast.CommentGroup), decl *ast.GenDecl, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		want(spec.Name, spec.Doc, decl.Doc, spec.Comment)
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			want(name, spec.Doc, decl.Doc, spec.Comment)
		}
	}
}

// wellKnown methods mean the same on every type.
var wellKnown = map[string]bool{"String": true, "Error": true, "Unwrap": true, "Len": true, "Less": true, "Swap": true}

// exportedReceiver is true for functions, and for methods of exported types.
func exportedReceiver(decl *ast.FuncDecl) bool {
	if decl.Recv == nil || len(decl.Recv.List) == 0 {
		return true
	}
	typ := decl.Recv.List[0].Type
	for {
		switch inner := typ.(type) {
		case *ast.StarExpr:
			typ = inner.X
		case *ast.IndexExpr:
			typ = inner.X
		case *ast.IndexListExpr:
			typ = inner.X
		case *ast.Ident:
			return inner.IsExported()
		default:
			return false
		}
	}
}

func countLines(text string) int {
	if text == "" {
		return 0
	}
	return strings.Count(text, "\n") + 1
}
