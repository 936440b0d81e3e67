package museum

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// Switch is the environment variable that names the exhibit to be run.
const Switch = "MUTANT"

// switchFile is added to each package that has exhibits.
const switchFile = `package %s

import "os"

var mutantOn = os.Getenv(%q)

func mutant(name string) bool { return mutantOn == name }
`

// placed is an edit with its place in a file.
type placed struct {
	Edit
	exhibit    string
	start, end int
	fn         *ast.FuncDecl
}

// patchFile gives a file with the functions that exhibits change doubled.
func patchFile(path string, src []byte, exhibits []Exhibit) ([]byte, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	offset := func(p token.Pos) int { return set.Position(p).Offset }
	copies := map[*ast.FuncDecl][]placed{}
	var misfits []error
	for _, x := range exhibits {
		for _, e := range x.Edits {
			if e.File != path {
				continue
			}
			p, err := place(src, file, offset, x.Name, e)
			misfits = append(misfits, err)
			copies[p.fn] = append(copies[p.fn], p)
		}
	}
	if err := errors.Join(misfits...); err != nil {
		return nil, err
	}
	out, rest := []byte(nil), 0
	var tail bytes.Buffer
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || len(copies[fn]) == 0 {
			continue
		}
		body := offset(fn.Body.Lbrace) + 1
		out, rest = append(out, src[rest:body]...), body
		for _, edits := range byExhibit(copies[fn]) {
			name := fn.Name.Name + "_" + strings.ReplaceAll(edits[0].exhibit, "-", "_")
			call, err := forward(src, offset, fn, name)
			if err != nil {
				return nil, fmt.Errorf("exhibit %s: %s: %w", edits[0].exhibit, path, err)
			}
			out = fmt.Appendf(out, "\nif mutant(%q) { %s }\n", edits[0].exhibit, call)
			text, err := renamed(mutated(src[:offset(fn.End())], offset(fn.Pos()), edits), name)
			if err != nil {
				return nil, fmt.Errorf("exhibit %s: %s: the new text does not parse: %w", edits[0].exhibit, path, err)
			}
			tail.WriteString("\n" + text + "\n")
		}
	}
	return append(append(out, src[rest:]...), tail.Bytes()...), nil
}

// place finds the lines that an edit replaces, and the function around them.
func place(src []byte, file *ast.File, offset func(token.Pos) int, exhibit string, e Edit) (placed, error) {
	var at []int
	for i := 0; i <= len(src)-len(e.Old); i++ {
		if (i == 0 || src[i-1] == '\n') && bytes.HasPrefix(src[i:], []byte(e.Old)) {
			at = append(at, i)
		}
	}
	if len(at) != 1 {
		return placed{}, fmt.Errorf("exhibit %s: its old text occurs %d times in %s, and has to occur once; bring the exhibit up to date:\n%s", exhibit, len(at), e.File, e.Old)
	}
	p := placed{Edit: e, exhibit: exhibit, start: at[0], end: at[0] + len(e.Old)}
	for _, d := range file.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil && offset(fn.Pos()) <= p.start && p.end <= offset(fn.End())+1 {
			p.fn = fn
			return p, nil
		}
	}
	return placed{}, fmt.Errorf("exhibit %s: the lines in %s are not in one function", exhibit, e.File)
}

func byExhibit(edits []placed) [][]placed {
	var out [][]placed
	for _, e := range edits {
		i := slices.IndexFunc(out, func(l []placed) bool { return l[0].exhibit == e.exhibit })
		if i < 0 {
			out = append(out, []placed{e})
			continue
		}
		out[i] = append(out[i], e)
	}
	return out
}

// mutated is the function that begins at start and ends src, with the edits made.
func mutated(src []byte, start int, edits []placed) string {
	slices.SortFunc(edits, func(a, b placed) int { return cmp.Compare(a.start, b.start) })
	var out strings.Builder
	for _, e := range edits {
		out.Write(src[start:e.start])
		out.WriteString(e.New)
		start = min(e.end, len(src)) // the line's end may lie behind the function
	}
	out.Write(src[start:])
	return out.String()
}

// renamed gives a function another name.
func renamed(text, name string) (string, error) {
	const head = "package p\n"
	file, err := parser.ParseFile(token.NewFileSet(), "", head+text, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	id := file.Decls[0].(*ast.FuncDecl).Name
	at := int(id.Pos()) - 1 - len(head)
	return text[:at] + name + text[at+len(id.Name):], nil
}

// forward is the statement that calls the copy in place of the function.
func forward(src []byte, offset func(token.Pos) int, fn *ast.FuncDecl, name string) (string, error) {
	var receiver, types, args []string
	for list, to := range map[*ast.FieldList]*[]string{fn.Recv: &receiver, fn.Type.TypeParams: &types, fn.Type.Params: &args} {
		if list == nil {
			continue
		}
		for _, field := range list.List {
			if len(field.Names) == 0 {
				return "", fmt.Errorf("%s has a parameter without a name", fn.Name.Name)
			}
			for _, id := range field.Names {
				arg := id.Name
				if arg == "_" {
					return "", fmt.Errorf("%s has a parameter without a name", fn.Name.Name)
				}
				if src[offset(field.Type.Pos())] == '.' {
					arg += "..."
				}
				*to = append(*to, arg)
			}
		}
	}
	call := name
	if len(types) > 0 {
		call += "[" + strings.Join(types, ", ") + "]"
	}
	if len(receiver) > 0 {
		call = receiver[0] + "." + call
	}
	call += "(" + strings.Join(args, ", ") + ")"
	if fn.Type.Results == nil {
		return call + "; return", nil
	}
	return "return " + call, nil
}
