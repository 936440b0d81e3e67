package house

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Problem is one broken rule.
type Problem struct {
	// File is relative to the repository's root; Line is 1 when the whole file or package is meant.
	File string
	Line int
	// Rule is the short name of the rule.
	Rule string
	// Text says what is wrong and what to do about it.
	Text string
}

func (p Problem) String() string {
	return fmt.Sprintf("%s:%d: [%s] %s", p.File, p.Line, p.Rule, p.Text)
}

// File is one parsed Go file.
type File struct {
	Path      string
	Source    string
	AST       *ast.File
	Test      bool
	Generated bool
}

// Package is the Go files of one directory. Test files of an external test package count to the same directory.
type Package struct {
	Dir   string
	Files []*File
}

// Tree is all source that the rules look at.
type Tree struct {
	Packages []*Package
	fset     *token.FileSet
}

// line is the line number of a position in any file of the tree.
func (t *Tree) line(pos token.Pos) int { return t.fset.Position(pos).Line }

// skipped directories hold no source of this module.
func skipped(name string) bool {
	return name != "." && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) ||
		slices.Contains([]string{"testdata", "vendor", "node_modules", "bin", "tools"}, name)
}

// Load parses every Go file of the module below fsys, whatever its build tags. A file that does not parse is a
// problem and is left out.
func Load(fsys fs.FS) (*Tree, []Problem, error) {
	tree := &Tree{fset: token.NewFileSet()}
	byDir := map[string]*Package{}
	var problems []Problem
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if skipped(entry.Name()) || slices.Contains(Exempt, name) {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		source, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(tree.fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			problems = append(problems, Problem{name, 1, "parse", fmt.Sprintf("the file does not parse: %v", err)})
			return nil
		}
		pkg := byDir[path.Dir(name)]
		if pkg == nil {
			pkg = &Package{Dir: path.Dir(name)}
			byDir[pkg.Dir] = pkg
			tree.Packages = append(tree.Packages, pkg)
		}
		pkg.Files = append(pkg.Files, &File{
			Path: name, Source: string(source), AST: parsed,
			Test: strings.HasSuffix(name, "_test.go"), Generated: ast.IsGenerated(parsed),
		})
		return nil
	})
	return tree, problems, err
}

// Check applies every rule to the tree, for the given table of rooms, and returns the problems in file order.
func Check(tree *Tree, rooms []Room) []Problem {
	var problems []Problem
	for _, pkg := range tree.Packages {
		room, known := roomOf(rooms, pkg.Dir)
		if !known {
			problems = append(problems, Problem{pkg.Files[0].Path, 1, "room", fmt.Sprintf(
				"%s is in no room of the house: add it to Rooms in internal/house/table.go and to the table in ARCHITECTURE.md, "+
					"or move its code into a room that exists", pkg.Dir)})
			continue
		}
		problems = append(problems, checkNames(tree, pkg)...)
		problems = append(problems, checkDoc(tree, pkg, room)...)
		for _, file := range pkg.Files {
			problems = append(problems, checkImports(tree, file, room, rooms)...)
			problems = append(problems, checkSize(tree, file)...)
			problems = append(problems, checkLeftovers(file)...)
			if room.Kind == Pure && !file.Test {
				problems = append(problems, checkPure(tree, file)...)
				problems = append(problems, checkExported(tree, file)...)
			}
		}
	}
	slices.SortFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Text, b.Text))
	})
	return problems
}
