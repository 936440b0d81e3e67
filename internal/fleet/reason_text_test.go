package fleet

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
)

// TestEachCodeHasAText reads the declarations, so that a new Code cannot be forgotten.
func TestEachCodeHasAText(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared, told []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Code" {
				value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				declared = append(declared, value)
			}
		}
		return true
	})
	for _, text := range CodeTexts {
		told = append(told, string(text.Code))
		if text.Use == "" || text.Meaning == "" || text.ToDo == "" {
			t.Errorf("%s: its text is not whole: %+v", text.Code, text)
		}
	}
	if !slices.Equal(declared, told) {
		t.Errorf("declared are\n%q, texts have\n%q", declared, told)
	}
	if text, ok := TextOf(NoRoom); !ok || text.Use != ForWait {
		t.Errorf("the text of NoRoom is %+v", text)
	}
	if _, ok := TextOf("Unheard"); ok {
		t.Error("a Code that nobody declared has a text")
	}
}
