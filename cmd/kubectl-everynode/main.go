package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/everynode/everynode/internal/cli"
)

// version is set when the binary is built.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := cli.NewPlugin(version).ExecuteContext(ctx)
	stop()
	if code := cli.Code(os.Stderr, err); code != 0 {
		os.Exit(code)
	}
}
