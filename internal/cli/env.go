package cli

import (
	"os"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// Env is what a binary gives its commands.
type Env struct {
	Streams genericiooptions.IOStreams
	// Program is how a person calls the binary, for the commands that are proposed: "everynode" or "kubectl everynode".
	Program string
	// Lab, if set, points the process at a lab that runs on this machine; it is called when no kubeconfig was chosen.
	Lab func() error
}

// NewEnv is the process's own streams.
func NewEnv(program string, lab func() error) Env {
	return Env{Streams: genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}, Program: program, Lab: lab}
}

// Commands are all commands of this package.
func Commands(env Env) []*cobra.Command {
	return []*cobra.Command{NewExplain(env), NewPlan(env), NewStatus(env), NewRollout(env), NewSnapshot(env)}
}
