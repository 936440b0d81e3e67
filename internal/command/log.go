package command

import (
	"flag"
	"io"
	"log/slog"
	"os"
	"strconv"

	"golang.org/x/term"
	"k8s.io/klog/v2"
)

// newLog writes lines for people to a terminal and JSON elsewhere, and makes the client's log part of it.
func newLog(w io.Writer, verbosity int) (*slog.Logger, error) {
	o := &slog.HandlerOptions{Level: slog.Level(-verbosity)} // as klog counts: V(4) is slog's debug
	var h slog.Handler = slog.NewJSONHandler(w, o)
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		h = slog.NewTextHandler(w, o)
	}
	log := slog.New(h)
	klog.SetSlogLogger(log)
	// klog asks its own flag first whether anybody wants to know.
	fs := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(fs)
	return log, fs.Set("v", strconv.Itoa(max(0, verbosity)))
}
