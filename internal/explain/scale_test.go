package explain

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/snapshot"
)

var (
	scaleNodes = flag.Int("scale-nodes", 500, "nodes in BenchmarkExplain; 20 DaemonSets run on each")
	scaleFile  = flag.String("scale-file", "", "keep the snapshot of BenchmarkExplain in this file, for everynode explain --snapshot")
)

const scaleDaemons = 20

// large is a cluster at scale, as a file: one Pod in fifty is not ready, one node in a hundred is tainted.
func large(b *testing.B, nodes int) []byte {
	b.Helper()
	one := newScene(&testing.T{}, nodes)
	for i, n := range one.nodes {
		n.Name, n.UID = fmt.Sprintf("node-%05d", i), types.UID(fmt.Sprintf("node-uid-%05d", i))
		n.Labels = map[string]string{corev1.LabelHostname: n.Name, corev1.LabelTopologyZone: fmt.Sprint("zone-", i%3), corev1.LabelOSStable: "linux"}
		n.Status.Allocatable["cpu"], n.Status.Allocatable["pods"] = resource.MustParse("16"), resource.MustParse("110")
		if i%100 == 99 {
			n.Spec.Taints = []corev1.Taint{{Key: "dedicated", Value: "x", Effect: corev1.TaintEffectNoSchedule}}
		}
		if err := one.AddNode(n); err != nil {
			b.Fatal(err)
		}
	}
	for i := range scaleDaemons {
		one.ds = one.ds.DeepCopy()
		one.ds.Name, one.ds.UID = fmt.Sprintf("daemon-%02d", i), types.UID(fmt.Sprintf("daemon-uid-%02d", i))
		one.ds.Spec.Selector.MatchLabels["app"], one.ds.Spec.Template.Labels["app"] = one.ds.Name, one.ds.Name
		one.AddDaemonSet(one.ds)
		one.revision(1, "abc")
		one.Revisions[i].Name, one.Revisions[i].Labels["app"] = one.ds.Name+"-abc", one.ds.Name
		for j, n := range one.nodes {
			if len(n.Spec.Taints) > 0 {
				continue
			}
			p := one.pod(n.Name, "abc")
			p.Name, p.UID = fmt.Sprintf("%s-%05dbcdfg", one.ds.Name, j), types.UID(fmt.Sprintf("pod-%02d-%05d-0000-0000-000000000000", i, j))
			if j%50 == 7 {
				waiting(p, "ImagePullBackOff", "Back-off pulling image example.com/app:1", 0)
			}
			if err := one.AddPod(p); err != nil {
				b.Fatal(err)
			}
		}
		one.pods = nil
	}
	var file bytes.Buffer
	if err := snapshot.Write(&file, &one.Snapshot); err != nil {
		b.Fatal(err)
	}
	return file.Bytes()
}

// BenchmarkExplain reads a snapshot and groups all nodes of all DaemonSets by reason.
func BenchmarkExplain(b *testing.B) {
	file := large(b, *scaleNodes)
	if *scaleFile != "" {
		if err := os.WriteFile(*scaleFile, file, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(file))/(1<<20), "MiB-file")
	b.ReportAllocs()
	for b.Loop() {
		s, err := snapshot.Read(bytes.NewReader(file))
		if err != nil {
			b.Fatal(err)
		}
		w, err := s.World(s.Taken)
		if err != nil {
			b.Fatal(err)
		}
		for _, d := range w.Fleet.Daemons() {
			book, err := Open(w, d)
			if err != nil {
				b.Fatal(err)
			}
			all := book.DaemonSet()
			if all.Groups[0].Code != Available || book.Node("node-00007").Reason.Code != ImagePullFailed || book.Node("node-00099").Reason.Code != fleet.TaintNoSchedule {
				b.Fatalf("%s: %+v", d.Key, all.Groups)
			}
			if err := WriteDaemonSet(io.Discard, &all, "everynode", plainText{}); err != nil {
				b.Fatal(err)
			}
		}
	}
}
