package main

import (
	"context"
	"log/slog"

	"github.com/everynode/everynode/internal/engine"
	"github.com/everynode/everynode/internal/lab"
	"github.com/everynode/everynode/internal/plan"
)

// wire gives the lab the parts that it runs but does not know.
func wire(o *lab.Options) {
	o.RunController = func(ctx context.Context, c lab.Controller) error {
		return engine.Run(ctx, c.Config, engine.Options{
			Placement: plan.Placement(c.Placement),
			Ready:     c.Ready,
			Logger:    slog.New(slog.NewTextHandler(c.Log, nil)).With("component", "everynode-controller"),
		})
	}
}
