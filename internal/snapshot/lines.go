package snapshot

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/live"
)

// Format and FormatVersion stand in the first line of a file. Version 2 has quotas; files of version 1 are read as well.
const (
	Format        = "everynode-snapshot"
	FormatVersion = 2
)

// line is one line of a file: the head, one object, or the end.
type line struct {
	Head      *head                      `json:"head,omitempty"`
	Node      *Node                      `json:"node,omitempty"`
	Pod       *Pod                       `json:"pod,omitempty"`
	DaemonSet *appsv1.DaemonSet          `json:"daemonSet,omitempty"`
	Revision  *appsv1.ControllerRevision `json:"revision,omitempty"`
	Event     *Event                     `json:"event,omitempty"`
	Lease     *Lease                     `json:"lease,omitempty"`
	Quota     *corev1.ResourceQuota      `json:"quota,omitempty"`
	Missing   *Missing                   `json:"missing,omitempty"`
	Live      *live.State                `json:"live,omitempty"`
	End       *end                       `json:"end,omitempty"`
}

type head struct {
	Format   string    `json:"format"`
	Version  int       `json:"version"`
	Taken    time.Time `json:"taken"`
	Server   string    `json:"server,omitempty"`
	Redacted bool      `json:"redacted,omitempty"`
}

// end tells that nothing is missing behind it.
type end struct {
	Lines int `json:"lines"`
}
