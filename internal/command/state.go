package command

import (
	"errors"
	"os"
	"strings"
	"sync/atomic"

	"github.com/everynode/everynode/internal/engine"
)

// readiness is what /readyz says: what is being waited for, or nothing.
type readiness struct{ waits atomic.Value }

func (r *readiness) set(waits string) { r.waits.Store(waits) }

func (r *readiness) why() error {
	waits, ok := r.waits.Load().(string)
	if !ok {
		return errors.New("starting")
	}
	if waits != "" {
		return errors.New(waits)
	}
	return nil
}

// podNamespace is the namespace of the Pod that this process runs in, or the default for all others.
func podNamespace() string {
	return namespaceIn("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
}

func namespaceIn(file string) string {
	b, err := os.ReadFile(file)
	if name := strings.TrimSpace(string(b)); err == nil && name != "" {
		return name
	}
	return engine.DefaultNamespace // no Pod, or one without a token
}
