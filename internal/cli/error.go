package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Error is an error for people: what failed, why, what that means now, and what to do.
type Error struct {
	// What failed, with the object named; lower case, no full stop.
	What string
	// Why is the cause in words, and Now what that means; both may be empty.
	Why, Now string
	// Next are commands to try, as "label: command" or a sentence.
	Next []string
	// Cause is the error behind it; it may be nil.
	Cause error
}

// Error gives the first two parts on one line, for logs.
func (e *Error) Error() string {
	if e.Why == "" {
		return e.What
	}
	return e.What + ": " + e.Why
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Text is the whole, for a terminal: a line for each part.
func (e *Error) Text() string {
	var b strings.Builder
	b.WriteString("error: " + e.What)
	for _, part := range append([]string{e.Why, e.Now}, e.Next...) {
		if part != "" {
			b.WriteString("\n  " + strings.ReplaceAll(part, "\n", "\n  "))
		}
	}
	return b.String()
}

// Print prints an error once, whoever made it.
func Print(w io.Writer, err error) {
	text := "error: " + strings.TrimPrefix(err.Error(), "error: ")
	var told interface{ Text() string }
	if errors.As(err, &told) {
		text = told.Text()
	}
	// If stderr is gone, the exit code is all that is left to say it.
	_, _ = fmt.Fprintln(w, text)
}

// interrupted tells that the person ended it, which is no failure to explain.
func interrupted(err error) bool { return errors.Is(err, context.Canceled) }
