package cli

import (
	"bytes"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/everynode/everynode/internal/progress"
)

var half = []progress.Progress{
	{Namespace: "a", Name: "done", Desired: 4, Updated: 4, Available: 4, State: progress.Done},
	{Namespace: "a", Name: "going", Desired: 10, Updated: 5, Available: 8, State: progress.Rolling, Step: 3, Steps: 5, Blockers: []progress.Blocker{{Code: "PodNotReady", Nodes: []string{"n1", "n2"}}}},
	{Namespace: "a", Name: "stuck", Desired: 10, Updated: 2, Available: 8, State: progress.Halted, Step: 2, Steps: 5, Blockers: []progress.Blocker{{Code: "NoRoom", Nodes: []string{"n1"}}}},
}

func TestScreen(t *testing.T) {
	var m tea.Model = screen{}
	m, _ = m.Update(tea.WindowSizeMsg{Width: 70, Height: 12})
	m, _ = m.Update(news(half))
	golden(t, "screen.txt", m.View().Content)

	// In a smaller window, the arrow moves down, but not beyond the end.
	m, _ = m.Update(tea.WindowSizeMsg{Width: 70, Height: 8})
	for range 5 {
		m, _ = m.Update(tea.KeyPressMsg{Code: tea.KeyDown})
	}
	if text := m.View().Content; strings.Contains(text, "a/done") || !strings.Contains(text, "a/stuck") || !strings.Contains(text, "1 more") {
		t.Errorf("after moving down:\n%s", text)
	}
	if _, cmd := m.Update(tea.KeyPressMsg{Code: 'q', Text: "q"}); cmd == nil || cmd() != tea.Quit() {
		t.Error("q does not end it")
	}
}

// A pipe gets a line for a change, and none for what is as before.
func TestLinesOfAPipe(t *testing.T) {
	var out bytes.Buffer
	env := Env{Streams: genericiooptions.IOStreams{Out: &out}}
	told := map[string]string{}
	tellLines(env, half, told, true)
	tellLines(env, half, told, true)
	next := append([]progress.Progress{}, half...)
	next[1].Updated = 6
	tellLines(env, next, told, true)
	want := `a: daemon set "done" successfully rolled out
a: Waiting for daemon set "going" rollout to finish: 5 out of 10 new pods have been updated...
a: Waiting for daemon set "stuck" rollout to finish: 2 out of 10 new pods have been updated... halted: NoRoom on n1
a: Waiting for daemon set "going" rollout to finish: 6 out of 10 new pods have been updated...
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
