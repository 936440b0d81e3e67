package report

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/fleet"
)

// TestEachEventReasonHasAText reads the declarations, so that a new one cannot be forgotten.
func TestEachEventReasonHasAText(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared, told []string
	for _, decl := range file.Decls {
		if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.CONST {
			for _, spec := range d.Specs {
				value, err := strconv.Unquote(spec.(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				declared = append(declared, value)
			}
		}
	}
	for _, text := range EventTexts {
		told = append(told, text.Reason)
		if text.Meaning == "" || text.ToDo == "" || (text.Type != corev1.EventTypeNormal && text.Type != corev1.EventTypeWarning) {
			t.Errorf("%s: its text is not whole: %+v", text.Reason, text)
		}
	}
	if !slices.Equal(declared, told) {
		t.Errorf("declared are\n%q, texts have\n%q", declared, told)
	}
}

func TestEachBlockerIsAReasonOfAStandstillWithAText(t *testing.T) {
	var reasons []string
	for _, c := range ConditionTexts() {
		if c.Status == corev1.ConditionFalse && c.Type == Progressing {
			reasons = append(reasons, c.Reason)
		}
	}
	want := []string{"RolloutBlocked", "UpdateOnDelete", "CallBackoff", "FailureBackoff", "NoRoom", "PodNotReady", "PodTerminating", "PortTaken", "RolloutStalled"}
	if !slices.Equal(reasons, want) {
		t.Errorf("reasons %q, want %q", reasons, want)
	}
	for _, code := range stallCodes() {
		if text, ok := fleet.TextOf(code); !ok || text.Use != fleet.ForWait {
			t.Errorf("%s holds rollouts up and is no wait: %+v", code, text)
		}
	}
}
