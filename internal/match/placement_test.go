package match

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/everynode/everynode/internal/fleet"
)

// TestPlacement runs the scripts of testdata/scenarios:
//
//	template            a Pod spec in YAML, for the commands that follow
//	verdict [node]      decision and reason; node is name=, labels=(k=v, …), taints=(k=v:Effect, …)
//	checks [node]       every check that Verdict decides by
//	tolerations         what a Pod of the template tolerates
func TestPlacement(t *testing.T) {
	datadriven.Walk(t, "testdata/scenarios", func(t *testing.T, path string) {
		ds := &appsv1.DaemonSet{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "template":
				ds = &appsv1.DaemonSet{}
				if err := yaml.UnmarshalStrict([]byte(d.Input), &ds.Spec.Template.Spec); err != nil {
					d.Fatalf(t, "%v", err)
				}
				return ""
			case "verdict":
				v := New(ds).Verdict(nodeOf(t, d))
				return fmt.Sprintf("%s  %s\n", v.Decision, v.Reason)
			case "checks":
				var b strings.Builder
				for _, c := range New(ds).Checks(nodeOf(t, d)) {
					fmt.Fprintf(&b, "%s %s %q: %s\n", map[bool]string{true: "yes", false: "no "}[c.Pass], c.Kind, c.Subject, c.Detail)
				}
				return b.String()
			case "tolerations":
				var b strings.Builder
				for _, tol := range Tolerations(&ds.Spec.Template.Spec) {
					b.WriteString(tolerationText(&tol))
					if tol.TolerationSeconds != nil {
						fmt.Fprintf(&b, " for %d s", *tol.TolerationSeconds)
					}
					b.WriteByte('\n')
				}
				return b.String()
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

func nodeOf(t *testing.T, d *datadriven.TestData) *fleet.Node {
	n := &fleet.Node{Name: "n1", Labels: map[string]string{}}
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "name":
			n.Name = arg.Vals[0]
		case "labels":
			for _, val := range arg.Vals {
				key, value, _ := strings.Cut(val, "=")
				n.Labels[key] = value
			}
		case "taints":
			for _, val := range arg.Vals {
				n.Taints = append(n.Taints, taintOf(t, d, val))
			}
		default:
			d.Fatalf(t, "unknown argument %s", arg.Key)
		}
	}
	return n
}

func taintOf(t *testing.T, d *datadriven.TestData, text string) corev1.Taint {
	at := strings.LastIndexByte(text, ':')
	if at < 0 {
		d.Fatalf(t, "taint %q has no effect", text)
	}
	key, value, _ := strings.Cut(text[:at], "=")
	return corev1.Taint{Key: key, Value: value, Effect: corev1.TaintEffect(text[at+1:])}
}
