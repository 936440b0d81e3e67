package chaos

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// controllerUser is who both replicas are, kubeletUser who every simulated kubelet is.
const (
	controllerUser = "system:serviceaccount:everynode-system:everynode-controller"
	kubeletUser    = "system:serviceaccount:everynode-system:everynode-simnode"
)

// auditPolicy logs what the controllers write, and who deletes Pods with which options and what became of it.
const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: RequestResponse
  verbs: [delete, deletecollection]
  resources: [{resources: [pods]}]
- level: Metadata
  users: ["` + controllerUser + `"]
  verbs: [create, update, patch, delete, deletecollection]
- level: None
`

// auditEvent is what is read of one line.
type auditEvent struct {
	Stage, Verb, RequestURI string
	User                    struct {
		Username string
		Extra    map[string][]string
	}
	ObjectRef struct {
		Resource, Namespace, Name, Subresource string
	}
	ResponseStatus           struct{ Code int }
	RequestObject            *metav1.DeleteOptions
	ResponseObject           *struct{ Metadata metav1.ObjectMeta }
	RequestReceivedTimestamp metav1.MicroTime
	StageTimestamp           metav1.MicroTime
}

// String is the event in a line, as evidence.
func (e auditEvent) String() string {
	const clock = "15:04:05.000"
	text := fmt.Sprintf("%s–%s  %s %s: %d, by %s", e.RequestReceivedTimestamp.Format(clock), e.StageTimestamp.Format(clock),
		e.Verb, e.ObjectRef.Name, e.ResponseStatus.Code, e.User.Username[strings.LastIndexByte(e.User.Username, ':')+1:])
	if e.RequestObject != nil && e.RequestObject.Preconditions != nil && e.RequestObject.Preconditions.ResourceVersion != nil {
		text += ", if at revision " + *e.RequestObject.Preconditions.ResourceVersion
	}
	return text
}

// replica tells the two controllers apart: each has a token of its own.
func (e auditEvent) replica() string {
	return strings.Join(e.User.Extra["authentication.kubernetes.io/credential-id"], ",")
}

func (e auditEvent) lease() bool { return e.ObjectRef.Resource == "leases" }

// audit is what the log says.
type audit struct {
	writes         map[string]int // of the controllers, that were done, by verb and resource
	refused        int            // of the controllers, for whatever reason
	deletes        int            // of Pods, by the controllers, that name a UID
	unread         int            // those that were refused unread
	withoutUID     []string
	deleters       map[types.UID][]string  // who deleted a Pod, in order
	trail          map[string][]auditEvent // what was asked of a Pod's name, in order
	late           []string                // writes to Pods by a replica after another one had taken the lease
	replicas, torn int
	last           time.Time // of the controllers' last write but to the lease
}

// readAudit reads the log of all the API server's lives.
func readAudit(path string) (*audit, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var events []auditEvent
	a := &audit{writes: map[string]int{}, deleters: map[types.UID][]string{}, trail: map[string][]auditEvent{}}
	for r := bufio.NewReader(f); ; {
		line, err := r.ReadBytes('\n')
		if e, ok := parseEvent(line); ok {
			events = append(events, e)
		} else if len(line) > 0 {
			a.torn++
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	a.take(events)
	return a, nil
}

// parseEvent reads a line. A killed server may have left half of one, to which the next one has added its first.
func parseEvent(line []byte) (e auditEvent, ok bool) {
	if json.Unmarshal(line, &e) == nil {
		return e, e.Stage == "ResponseComplete"
	}
	if i := bytes.LastIndex(line, []byte(`{"kind":"Event","apiVersion":"audit.k8s.io`)); i > 0 {
		e = auditEvent{}
		return e, json.Unmarshal(line[i:], &e) == nil && e.Stage == "ResponseComplete"
	}
	return e, false
}

func (a *audit) take(events []auditEvent) {
	// Logged when they are answered, judged in the order in which they came.
	slices.SortStableFunc(events, func(x, y auditEvent) int {
		return x.RequestReceivedTimestamp.Compare(y.RequestReceivedTimestamp.Time)
	})
	replicas, holder := map[string]bool{}, ""
	for _, e := range events {
		done := e.ResponseStatus.Code >= 200 && e.ResponseStatus.Code < 300
		ours := e.User.Username == controllerUser
		if ours {
			replicas[e.replica()] = true
		}
		if e.ObjectRef.Resource == "pods" {
			a.trail[e.ObjectRef.Name] = append(a.trail[e.ObjectRef.Name], e)
		}
		if e.ObjectRef.Resource == "pods" && e.Verb == "delete" {
			a.takeDelete(e, done, ours)
		}
		switch {
		case !ours, e.ObjectRef.Resource == "selfsubjectaccessreviews":
		case e.lease() && done:
			holder = e.replica()
		case e.lease():
		case strings.Contains(e.RequestURI, "dryRun="):
			a.writes["dry run"]++
		case done:
			a.last = e.RequestReceivedTimestamp.Time
			a.writes[strings.TrimSuffix(e.Verb+" "+e.ObjectRef.Resource+"/"+e.ObjectRef.Subresource, "/")]++
			if e.ObjectRef.Resource == "pods" && e.replica() != holder {
				a.late = append(a.late, fmt.Sprintf("%s %s %s", e.RequestReceivedTimestamp.Format("15:04:05.000"), e.Verb, e.ObjectRef.Name))
			}
		default:
			a.refused++
		}
	}
	a.replicas = len(replicas)
}

// blame sorts Pods that the judge holds the controllers responsible for: unlogged ones, whose request a killed server did not
// log (or a kubelet's alone), and those that somebody else deleted first.
func (a *audit) blame(removals map[types.UID]string) (unlogged int, others []string) {
	for uid, what := range removals {
		who := a.deleters[uid]
		switch {
		case slices.Contains(who, controllerUser):
		case len(who) == 0 || who[0] == kubeletUser:
			unlogged++
		default:
			others = append(others, what+" by "+who[0])
		}
	}
	slices.Sort(others)
	return unlogged, others
}

// around is what was asked of a Pod's name shortly before and after a moment. Names are used again and again.
func (a *audit) around(name string, at time.Time) string {
	const before, after = 30 * time.Second, 5 * time.Second
	var lines []string
	for _, e := range a.trail[name] {
		if d := e.RequestReceivedTimestamp.Sub(at); -before < d && d < after {
			lines = append(lines, e.String())
		}
	}
	return strings.Join(lines, "\n  ")
}

func (a *audit) takeDelete(e auditEvent, done, ours bool) {
	if ours {
		switch {
		case e.RequestObject == nil && !done: // refused before its body was read, as by a server that does not know its roles yet
			a.unread++
		case e.RequestObject != nil && e.RequestObject.Preconditions != nil && e.RequestObject.Preconditions.UID != nil:
			a.deletes++
		default:
			a.withoutUID = append(a.withoutUID, e.ObjectRef.Namespace+"/"+e.ObjectRef.Name)
		}
	}
	if done && e.ResponseObject != nil {
		uid := e.ResponseObject.Metadata.UID
		a.deleters[uid] = append(a.deleters[uid], e.User.Username)
	}
}
