package house

import (
	"fmt"
	"go/ast"
	"regexp"
	"strings"
)

const (
	// MaxFileLines is the longest a Go file may be; generated files are free.
	MaxFileLines = 400
	// MaxFuncLines is the longest a function outside tests may be, from its func line to its closing brace.
	MaxFuncLines = 60
)

// leftover marks unfinished work. The words are put together here so that this file does not contain them.
var leftover = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)

// checkSize limits the lengths of files and functions.
func checkSize(tree *Tree, file *File) []Problem {
	if file.Generated {
		return nil
	}
	var problems []Problem
	if lines := countLines(strings.TrimSuffix(file.Source, "\n")); lines > MaxFileLines {
		problems = append(problems, Problem{file.Path, lines, "size", fmt.Sprintf(
			"the file has %d lines, at most %d are allowed: split it along what its parts are about", lines, MaxFileLines)})
	}
	if file.Test {
		return problems
	}
	for _, decl := range file.AST.Decls {
		function, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		first, last := tree.line(function.Pos()), tree.line(function.End())
		if lines := last - first + 1; lines > MaxFuncLines {
			problems = append(problems, Problem{file.Path, first, "size", fmt.Sprintf(
				"function %s has %d lines, at most %d are allowed: give its steps names of their own", function.Name.Name, lines, MaxFuncLines)})
		}
	}
	return problems
}

// checkLeftovers refuses marks of unfinished work: finish it, or write it down where work is tracked.
func checkLeftovers(file *File) []Problem {
	var problems []Problem
	for index, line := range strings.Split(file.Source, "\n") {
		if mark := leftover.FindString(line); mark != "" {
			problems = append(problems, Problem{file.Path, index + 1, "leftover", fmt.Sprintf(
				"%s marks unfinished work: finish it, or track it outside the source and say here what holds today", mark)})
		}
	}
	return problems
}
