package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Exit ends a command with a code of its own; whatever there is to say has been said.
type Exit int

// Error names the code, for logs.
func (e Exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// Code prints an error, unless it is an Exit or the person's own interrupt, and gives the process's exit code.
func Code(w io.Writer, err error) int {
	var exit Exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	case errors.Is(err, context.Canceled):
		return 1
	}
	Print(w, err)
	return 1
}
