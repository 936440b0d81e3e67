package lab

import (
	"fmt"
	"strings"
)

// Codes are stable: people search for them.
const (
	CodeBadOption  = "EN-LAB-001"
	CodePortTaken  = "EN-LAB-002"
	CodeDir        = "EN-LAB-003"
	CodeRunning    = "EN-LAB-004"
	CodeKubeconfig = "EN-LAB-005"
	CodeStart      = "EN-LAB-006"
	CodeDied       = "EN-LAB-007"
	CodeData       = "EN-LAB-008"
)

// Fix is one way out: what it achieves and the command or flag that does it.
type Fix struct{ Purpose, Do string }

// Error says four things: what failed, why, what it means now, and what to do next.
type Error struct {
	Code  string
	What  string
	Why   string
	Means string
	Next  []Fix
	Err   error
}

// Error is the one-line form, for logs and wrapping.
func (e *Error) Error() string {
	s := e.What
	if e.Why != "" {
		s += ": " + e.Why
	}
	return s + " (" + e.Code + ")"
}

func (e *Error) Unwrap() error { return e.Err }

// Text is the form for people: several lines, without a final newline.
func (e *Error) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "error: %s (%s)", e.What, e.Code)
	for _, line := range []string{e.Why, e.Means} {
		if line != "" {
			b.WriteString("\n  " + line)
		}
	}
	width := 0
	for _, f := range e.Next {
		width = max(width, len(f.Purpose)+1)
	}
	for _, f := range e.Next {
		fmt.Fprintf(&b, "\n  %-*s  %s", width, f.Purpose+":", f.Do)
	}
	return b.String()
}

// startError reports a component that did not come up; the log holds the details.
func startError(component string, err error, logFile string) *Error {
	e := &Error{
		Code:  CodeStart,
		What:  component + " did not start",
		Why:   err.Error(),
		Means: "everything that had started was stopped again",
		Next:  []Fix{{"see its log", "everynode up -v"}},
		Err:   err,
	}
	if logFile != "" {
		e.Next = append(e.Next, Fix{"or read", logFile})
	}
	return e
}
