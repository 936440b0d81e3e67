package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
)

// Placements that the controller knows.
const (
	PlacementDirect    = "direct"
	PlacementScheduler = "scheduler"
)

// Options say what to run and where. The zero value of each field is explained beside it.
type Options struct {
	Nodes      int    // how many simulated nodes; ignored when NodesFile is set
	NodesSet   bool   // the caller asked for that number; on resume, missing nodes are added only then
	NodesFile  string // Node objects to simulate instead of the default ones
	Kubeconfig string // "" = DefaultKubeconfig()
	DataDir    string // "" = a temporary directory that is removed at the end
	Port       int    // 0 = a free port, or the one used before when DataDir is resumed
	Placement  string // "" = direct
	Scheduler  bool   // also run kube-scheduler; implied by Placement scheduler
	Controller bool   // run the everynode controller
	Simulate   bool   // run simulated nodes
	Verbose    bool   // logs of all components on Out instead of only in the log file

	EtcdServers   string   // URLs of an etcd that runs elsewhere, separated by commas; "" = one in this process
	APIServerArgs []string // more flags for kube-apiserver, without dashes; later ones win

	Out     io.Writer
	Program string // how the user calls this binary, for the commands that are suggested
	Version string // everynode's own version, for the first line

	// RunController runs the everynode controller until ctx ends. Required when Controller is set.
	RunController func(ctx context.Context, c Controller) error
}

// Controller is what the lab hands to the everynode controller.
type Controller struct {
	Config    *rest.Config // its own service account
	Placement string
	Log       io.Writer // the lab's log
	Socket    string    // where it tells what it knows, for this user only
	Ready     func()    // to be called once the first decisions have been made
}

// DefaultKubeconfig is where `everynode up` leaves its kubeconfig and `everynode kubectl` looks for it.
func DefaultKubeconfig() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", &Error{
			Code:  CodeKubeconfig,
			What:  "no place for the kubeconfig",
			Why:   "this user has no home directory: " + err.Error(),
			Means: "nothing was started",
			Next:  []Fix{{"name a file", "everynode up --kubeconfig /tmp/everynode.kubeconfig"}},
			Err:   err,
		}
	}
	return filepath.Join(home, ".everynode", "kubeconfig"), nil
}

// complete fills defaults and refuses what cannot work, before anything is created.
func (o *Options) complete() error {
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Program == "" {
		o.Program = "everynode"
	}
	if o.Placement == "" {
		o.Placement = PlacementDirect
	}
	if o.Placement != PlacementDirect && o.Placement != PlacementScheduler {
		return badOption(fmt.Sprintf("--placement=%s is unknown", o.Placement), "placement is direct or scheduler",
			Fix{"bind Pods at creation", "everynode up --placement direct"},
			Fix{"let kube-scheduler bind", "everynode up --placement scheduler"})
	}
	o.Scheduler = o.Scheduler || o.Placement == PlacementScheduler
	if o.Nodes < 0 {
		return badOption(fmt.Sprintf("--nodes=%d is not a number of nodes", o.Nodes), "it must be 0 or more",
			Fix{"no simulated nodes", "everynode up --simulate=false"})
	}
	if o.Port < 0 || o.Port > 65535 {
		return badOption(fmt.Sprintf("--port=%d is not a port", o.Port), "ports are 1 to 65535, and 0 means any free one",
			Fix{"any free port", "everynode up --port 0"})
	}
	if err := checkEtcdServers(o.EtcdServers); err != nil {
		return err
	}
	return o.completePaths()
}

// completePaths makes paths absolute: they are printed for use in other shells.
func (o *Options) completePaths() error {
	if o.Kubeconfig == "" {
		path, err := DefaultKubeconfig()
		if err != nil {
			return err
		}
		o.Kubeconfig = path
	}
	for _, p := range []*string{&o.Kubeconfig, &o.DataDir} {
		if *p == "" {
			continue
		}
		abs, err := filepath.Abs(*p)
		if err != nil {
			return badOption(fmt.Sprintf("path %s cannot be resolved", *p), err.Error(), Fix{"use", "an absolute path"})
		}
		*p = abs
	}
	return nil
}

func badOption(what, why string, next ...Fix) *Error {
	return &Error{Code: CodeBadOption, What: what, Why: why, Means: "nothing was started", Next: next}
}
