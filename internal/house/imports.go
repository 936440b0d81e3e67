package house

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// checkImports holds one file to the import table and to the rules about heavy modules and Kubernetes clients.
func checkImports(tree *Tree, file *File, room Room, rooms []Room) []Problem {
	var problems []Problem
	for _, spec := range file.AST.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has accepted the literal, so this cannot happen
		}
		text := externalImport(target, file, room)
		if dir, ours := strings.CutPrefix(target, Module+"/"); ours {
			text = ownImport(dir, file, room, rooms)
		}
		if text != "" {
			problems = append(problems, Problem{file.Path, tree.line(spec.Pos()), "import", text})
		}
	}
	return problems
}

// ownImport says what is wrong with an import of one of our packages, or nothing.
func ownImport(dir string, file *File, room Room, rooms []Room) string {
	target, known := roomOf(rooms, dir)
	switch {
	case !known:
		return fmt.Sprintf("%s is in no room of the house: add it to Rooms in internal/house/table.go and to ARCHITECTURE.md", dir)
	case within(target.Path, "cmd") && room.Path != target.Path:
		return fmt.Sprintf("%s may not import %s: nobody imports a command; move what is shared into a room", room.Path, target.Path)
	case room.mayImport(target):
		return ""
	case file.Test && len(target.Links) == 0:
		return "" // a test may look at any room that is cheap to compile
	case file.Test:
		return fmt.Sprintf("tests of %s may not import %s, which takes minutes to compile: move the test below test/", room.Path, target.Path)
	}
	return fmt.Sprintf("%s may not import %s (it may import: %s): pass a value in from the room that knows it, or change the "+
		"table in internal/house/table.go and ARCHITECTURE.md together", room.Path, target.Path, orNone(room.Imports))
}

// externalImport says what is wrong with an import from outside this module, or nothing. Pure rooms have a
// stricter rule of their own on top (checkPure).
func externalImport(target string, file *File, room Room) string {
	for _, module := range heavy {
		if within(target, module) && !slices.Contains(room.Links, module) {
			return fmt.Sprintf("%s may not import %s: only rooms that list %s in Links (internal/house/table.go) link it, "+
				"so that everything else compiles in seconds", room.Path, target, module)
		}
	}
	if room.Kind == Plain && !file.Test && within(target, "k8s.io/client-go") {
		return fmt.Sprintf("%s is a plain room and may not import %s: only feed reads the API and only act writes it", room.Path, target)
	}
	return ""
}

func orNone(paths []string) string {
	if len(paths) == 0 {
		return "none of ours"
	}
	return strings.Join(paths, ", ")
}
