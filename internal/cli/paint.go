package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Paint colours text, on a terminal that wants it.
type Paint struct{ on bool }

// NewPaint looks whether w is a terminal, and at NO_COLOR and TERM.
func NewPaint(w io.Writer) Paint {
	f, ok := w.(*os.File)
	return Paint{on: ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// Good, Bad, Wait, Dim and Bold are all that is needed.

// Good is for what is as it should be.
func (p Paint) Good(s string) string { return p.with("32", s) }

// Bad is for what is not.
func (p Paint) Bad(s string) string { return p.with("31", s) }

// Wait is for what is on its way.
func (p Paint) Wait(s string) string { return p.with("33", s) }

// Dim is for what matters less.
func (p Paint) Dim(s string) string { return p.with("2", s) }

// Bold is for what is to be seen first.
func (p Paint) Bold(s string) string { return p.with("1", s) }

func (p Paint) with(code, s string) string {
	if !p.on || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
