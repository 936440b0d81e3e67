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
		log := slog.New(slog.NewTextHandler(c.Log, nil)).With("component", "everynode-controller")
		inspector := engine.NewInspector()
		served := make(chan error, 1)
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		go func() {
			err := inspector.ServeSocket(ctx, c.Socket)
			if err != nil {
				log.Warn("what the controller knows is told to nobody", "error", err)
			}
			served <- err
		}()
		err := engine.Run(ctx, c.Config, engine.Options{Placement: plan.Placement(c.Placement), Ready: c.Ready, Inspector: inspector, Logger: log})
		stop()
		<-served
		return err
	}
}
