package lab

import (
	"os"
	"strings"
	"time"
)

// announce ends the start: how long it took, three things to try, how to stop.
func (l *lab) announce() {
	kubectl := l.o.Program + " kubectl"
	if path, err := DefaultKubeconfig(); err != nil || path != l.o.Kubeconfig {
		kubectl += " --kubeconfig " + tilde(l.o.Kubeconfig)
	}
	l.talk.printf("\nReady in %.1fs.\n", time.Since(l.talk.begun).Seconds())
	l.talk.printf("  Look around     %s get nodes\n", kubectl)
	l.talk.printf("  Run a daemon    %s apply -f examples/node-exporter.yaml\n", kubectl)
	l.talk.printf("  Use kubectl     export KUBECONFIG=%s\n", tilde(l.o.Kubeconfig))
	l.talk.printf("Press Ctrl-C to stop; %s.\n", l.fate())
}

// promise is the end of the first line.
func (l *lab) promise() string {
	if l.o.DataDir != "" || l.o.EtcdServers != "" {
		return ""
	}
	return ", nothing left behind"
}

func (l *lab) fate() string {
	if l.state.keep {
		return "the cluster is kept in " + tilde(l.state.dir)
	}
	if l.o.EtcdServers != "" {
		return "the cluster's objects stay in the etcd at " + l.o.EtcdServers
	}
	return "everything is removed"
}

func (l *lab) epitaph() string {
	if l.state == nil {
		return ""
	}
	if l.state.keep {
		return "Resume with: " + l.o.Program + " up --data-dir " + tilde(l.state.dir) + l.etcdFlag()
	}
	if l.o.EtcdServers != "" {
		return "The etcd runs on."
	}
	return "Everything is removed."
}

// etcdFlag is what a later `up` needs to find the same store again.
func (l *lab) etcdFlag() string {
	if l.o.EtcdServers == "" {
		return ""
	}
	return " --etcd-servers " + l.o.EtcdServers
}

// tilde shortens a path the way a shell reads it back.
func tilde(path string) string {
	home, err := os.UserHomeDir()
	if err != nil || home == "/" || !strings.HasPrefix(path, home+"/") {
		return path
	}
	return "~" + strings.TrimPrefix(path, home)
}
