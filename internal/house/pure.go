package house

import (
	"fmt"
	"go/ast"
	"path"
	"strconv"
	"strings"
)

// pureModules are the modules outside the standard library that a pure room may import: types, and functions of
// their arguments.
var pureModules = []string{
	"github.com/google/btree",
	"k8s.io/api",
	"k8s.io/apimachinery",
	"k8s.io/component-helpers",
	"k8s.io/utils/ptr",
	"sigs.k8s.io/json",
	"sigs.k8s.io/yaml",
}

// impure packages reach for the world: files, network, clocks, randomness, loggers, cancellation.
var impure = []string{
	"context", "crypto/rand", "embed", "io/ioutil", "log", "math/rand", "net", "os", "runtime", "syscall", "testing", "unsafe",
	"k8s.io/apimachinery/pkg/util/clock", "k8s.io/apimachinery/pkg/util/wait", "k8s.io/apimachinery/pkg/watch",
}

// impureCalls read a clock, wait, or roll dice, in packages that are otherwise harmless.
var impureCalls = map[string][]string{
	"time":                                 {"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Sleep"},
	"k8s.io/apimachinery/pkg/apis/meta/v1": {"Now", "NowMicro"},
	"k8s.io/apimachinery/pkg/util/rand":    {"Int", "Int63nRange", "Intn", "IntnRange", "Perm", "Seed", "String"},
	"k8s.io/apimachinery/pkg/util/uuid":    {"NewUUID"},
}

// checkPure holds one file of a pure room to: no client, logger, metric, context, file, clock or goroutine.
func checkPure(tree *Tree, file *File) []Problem {
	var problems []Problem
	add := func(node ast.Node, format string, args ...any) {
		problems = append(problems, Problem{file.Path, tree.line(node.Pos()), "pure", fmt.Sprintf(format, args...)})
	}
	banned := map[string]map[string]bool{} // local package name → functions
	for _, spec := range file.AST.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		if text := pureImport(target); text != "" {
			add(spec, "%s", text)
		}
		if calls, ok := impureCalls[target]; ok {
			if spec.Name != nil && spec.Name.Name == "." {
				add(spec, "a dot import of %s hides calls of its clock: import it by name", target)
			}
			banned[localName(spec, target)] = set(calls)
		}
	}
	ast.Inspect(file.AST, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.GoStmt:
			add(node, "a pure room starts no goroutine: return the work as a value and let engine or act run it")
		case *ast.SelectorExpr:
			if ident, ok := node.X.(*ast.Ident); ok && banned[ident.Name][node.Sel.Name] {
				add(node, "a pure room may not use %s.%s: take the time (or the random value) as an argument, and return the "+
					"moment to look again as a value", ident.Name, node.Sel.Name)
			}
		}
		return true
	})
	return problems
}

// pureImport says why a pure room may not import target, or nothing.
func pureImport(target string) string {
	for _, bad := range impure {
		if within(target, bad) {
			return fmt.Sprintf("a pure room may not import %s: facts and time come in as values, work goes out as a value", target)
		}
	}
	standard := !strings.Contains(strings.SplitN(target, "/", 2)[0], ".")
	if standard || within(target, Module) {
		return ""
	}
	for _, good := range pureModules {
		if within(target, good) {
			return ""
		}
	}
	return fmt.Sprintf("a pure room may not import %s: beside the standard library it may use %s (pureModules in internal/house/pure.go)",
		target, strings.Join(pureModules, ", "))
}

// localName is the name by which the file calls an imported package. The packages that matter here are named
// after the last element of their path.
func localName(spec *ast.ImportSpec, target string) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	return path.Base(target)
}

func set(names []string) map[string]bool {
	members := map[string]bool{}
	for _, name := range names {
		members[name] = true
	}
	return members
}
