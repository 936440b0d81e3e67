package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/everynode/everynode/internal/preview"
)

// faults reads --fail-node and --slow-node.
func (p *planCmd) faults(o *preview.Options) error {
	for node, text := range p.slow {
		d, err := faultTime("--slow-node", node, text)
		if err != nil {
			return err
		}
		o.Slow[node] = d
	}
	for _, f := range p.fail {
		node, text, timed := strings.Cut(f, "=")
		if !timed {
			o.Fail[node] = 0
			continue
		}
		d, err := faultTime("--fail-node", node, text)
		if err != nil {
			return err
		}
		o.Fail[node] = d
	}
	return nil
}

func faultTime(flag, node, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, &Error{What: fmt.Sprintf("%s %s=%s: %q is no duration", flag, node, text, text), Next: []string{"for instance: " + flag + " " + node + "=90s"}}
	}
	return d, nil
}
