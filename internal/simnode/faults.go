package simnode

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// faults is what a Pod's annotations ask for on one node. Durations are nil when absent.
type faults struct {
	readyAfter   *time.Duration
	neverReady   bool
	crashLoop    bool
	pullFailure  bool
	fail         *refusal
	failAfter    time.Duration
	succeedAfter *time.Duration
	stuck        bool           // deleted, it never ends
	stuckFor     *time.Duration // deleted, it ends after this time
}

// readFaults reads the annotations of a Pod that is bound to the node.
func readFaults(annotations map[string]string, node string) (faults, []problem) {
	var f faults
	if !mentionsPrefix(annotations) {
		return f, nil
	}
	r := reader{annotations: annotations}
	f.readyAfter = r.optionalDuration(ReadyAfterAnnotation)
	f.neverReady = r.flag(NeverReadyAnnotation)
	f.crashLoop = r.flag(CrashLoopAnnotation)
	f.pullFailure = r.flag(ImagePullFailureAnnotation)
	f.fail = r.reason(FailAnnotation)
	f.failAfter = r.duration(FailAfterAnnotation, false)
	f.succeedAfter = r.optionalDuration(SucceedAfterAnnotation)
	if value, ok := annotations[StuckTerminatingAnnotation]; ok {
		if on, err := strconv.ParseBool(value); err == nil {
			f.stuck = on
		} else {
			f.stuckFor = r.optionalDuration(StuckTerminatingAnnotation)
		}
	}
	if _, after := annotations[FailAfterAnnotation]; after && f.fail == nil {
		r.bad(FailAfterAnnotation, "it needs "+FailAnnotation+" beside it")
	}
	r.unknown(ReadyAfterAnnotation, NeverReadyAnnotation, CrashLoopAnnotation, ImagePullFailureAnnotation, FailAnnotation,
		FailAfterAnnotation, SucceedAfterAnnotation, StuckTerminatingAnnotation, OnlyOnAnnotation)
	if only, ok := annotations[OnlyOnAnnotation]; ok && !slices.Contains(splitList(only), node) {
		return faults{}, r.problems
	}
	return f, r.problems
}

func mentionsPrefix(annotations map[string]string) bool {
	for key := range annotations {
		if strings.HasPrefix(key, Prefix) {
			return true
		}
	}
	return false
}

func splitList(value string) []string {
	items := strings.Split(value, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

// reader reads annotations and keeps what it could not read.
type reader struct {
	annotations map[string]string
	problems    []problem
}

func (r *reader) bad(annotation, advice string) {
	r.problems = append(r.problems, problem{
		annotation: annotation,
		text:       fmt.Sprintf("annotation %s=%q is ignored: %s", annotation, r.annotations[annotation], advice),
	})
}

func (r *reader) flag(annotation string) bool {
	value, ok := r.annotations[annotation]
	if !ok {
		return false
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		r.bad(annotation, `use "true" or "false"`)
	}
	return on
}

func (r *reader) optionalDuration(annotation string) *time.Duration {
	if _, ok := r.annotations[annotation]; !ok {
		return nil
	}
	before := len(r.problems)
	d := r.duration(annotation, false)
	if len(r.problems) > before {
		return nil
	}
	return &d
}

func (r *reader) duration(annotation string, signed bool) time.Duration {
	value, ok := r.annotations[annotation]
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(value)
	switch {
	case err != nil:
		r.bad(annotation, `use a duration such as "10s" or "1m30s"`)
		return 0
	case d < 0 && !signed:
		r.bad(annotation, "a negative duration makes no sense here")
		return 0
	}
	return d
}

func (r *reader) reason(annotation string) *refusal {
	value, ok := r.annotations[annotation]
	if !ok {
		return nil
	}
	why, ok := splitReason(value)
	if !ok {
		r.bad(annotation, `use "<Reason>" or "<Reason>: <message>", the reason one word such as OutOfcpu`)
		return nil
	}
	return &why
}

// unknown reports annotations under our prefix that nobody reads: most often a typing error.
func (r *reader) unknown(known ...string) {
	var strange []string
	for key := range r.annotations {
		if strings.HasPrefix(key, Prefix) && !slices.Contains(known, key) {
			strange = append(strange, key)
		}
	}
	slices.Sort(strange)
	for _, key := range strange {
		r.bad(key, "known here are "+strings.Join(known, ", "))
	}
}

func (r *reader) pressure() string {
	value, ok := r.annotations[PressureAnnotation]
	if !ok {
		return ""
	}
	list := splitList(value)
	slices.Sort(list)
	for _, item := range list {
		if !slices.Contains([]string{"disk", "memory", "pid"}, item) {
			r.bad(PressureAnnotation, `use a list of "memory", "disk" and "pid"`)
			return ""
		}
	}
	return strings.Join(slices.Compact(list), ",")
}
