package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/progress"
	"github.com/everynode/everynode/internal/snapshot"
)

// follow shows changes until the person has seen enough: a live view on a terminal, lines on a pipe.
func (s *statusCmd) follow(ctx context.Context, w *snapshot.World, choose func(*fleet.Daemon) bool) error {
	if !terminal(s.Env) {
		told := map[string]string{}
		return s.Follow(ctx, w, choose, func(list []progress.Progress) bool {
			tellLines(s.Env, list, told, s.all)
			return false
		})
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	screen := tea.NewProgram(screen{paint: NewPaint(s.Streams.Out)}, tea.WithContext(ctx), tea.WithInput(s.Streams.In), tea.WithOutput(s.Streams.Out))
	followed := make(chan error, 1)
	go func() {
		err := s.Follow(ctx, w, choose, func(list []progress.Progress) bool {
			screen.Send(news(list))
			return false
		})
		followed <- err
		screen.Quit()
	}()
	_, err := screen.Run()
	stop()
	if ferr := <-followed; ferr != nil {
		return ferr
	}
	if errors.Is(err, tea.ErrProgramKilled) || errors.Is(err, tea.ErrInterrupted) {
		return nil // Ctrl-C is how a watch ends
	}
	return err
}

// tellLines prints a line for each DaemonSet whose line is another than the last.
func tellLines(env Env, list []progress.Progress, told map[string]string, named bool) {
	for i := range list {
		p := &list[i]
		line := p.Sentence()
		if named {
			line = p.Namespace + ": " + line
		}
		if p.State == progress.Halted {
			line += " halted: " + p.Top()
		}
		if key := p.Key().String(); told[key] != line {
			told[key] = line
			fmt.Fprintln(env.Streams.Out, line)
		}
	}
}

// news is what Follow tells the screen.
type news []progress.Progress

// screen is the live view.
type screen struct {
	paint         Paint
	list          []progress.Progress
	width, height int
	top           int // first row that is shown
}

// Init, Update and View make it a tea.Model.
func (s screen) Init() tea.Cmd { return nil }

func (s screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case news:
		s.list = msg
	case tea.WindowSizeMsg:
		s.width, s.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		switch msg.String() {
		case "q", "esc", "ctrl+c":
			return s, tea.Quit
		case "down", "j":
			s.top++
		case "up", "k":
			s.top--
		case "pgdown", "space":
			s.top += s.rows()
		case "pgup":
			s.top -= s.rows()
		}
	}
	s.top = max(0, min(s.top, len(s.list)-s.rows()))
	return s, nil
}

// rows is how many DaemonSets fit.
func (s screen) rows() int {
	const around, lines = 4, 2
	if s.height == 0 {
		return 10
	}
	return max(1, (s.height-around)/lines)
}

func (s screen) View() tea.View {
	view := tea.NewView(s.text())
	view.AltScreen = true
	view.WindowTitle = "everynode status"
	return view
}

func (s screen) text() string {
	var b strings.Builder
	done := 0
	for i := range s.list {
		if s.list[i].State == progress.Done {
			done++
		}
	}
	fmt.Fprintf(&b, "%s\n\n", s.paint.Bold(fmt.Sprintf("%s, %d done", counted(len(s.list), "DaemonSet"), done)))
	if s.list == nil {
		b.WriteString("reading the cluster…\n")
	}
	name := 0
	for i := range s.list {
		name = max(name, len(s.list[i].Key().String()))
	}
	last := min(len(s.list), s.top+s.rows())
	for i := s.top; i < last; i++ {
		b.WriteString(s.row(&s.list[i], name))
	}
	if hidden := len(s.list) - (last - s.top); hidden > 0 {
		b.WriteString(s.paint.Dim(fmt.Sprintf("%d more; ↑ ↓ move", hidden)) + "\n")
	}
	b.WriteString("\n" + s.paint.Dim("q ends it"))
	return b.String()
}

// row is two lines: a bar with numbers, and what it waits for.
func (s screen) row(p *progress.Progress, name int) string {
	const numbers = 34
	width := max(10, min(50, s.width-name-numbers))
	line := fmt.Sprintf("%-*s  %s  %4d/%-4d %s", name, p.Key(), s.bar(p, width), p.Updated, p.Desired, s.state(p))
	why := ""
	if top := p.Top(); top != "" {
		why = fmt.Sprintf("%-*s  %s", name, "", s.paint.Dim(cut("waits for "+top, max(10, s.width-name-2))))
	}
	return line + "\n" + why + "\n"
}

func cut(text string, width int) string {
	if r := []rune(text); len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return text
}

// bar shows updated and available, updated and not yet available, and outdated.
func (s screen) bar(p *progress.Progress, width int) string {
	if p.Desired == 0 {
		return s.paint.Dim(strings.Repeat("·", width))
	}
	updated := min(width, p.Updated*width/p.Desired)
	missing := min(updated, (max(0, p.Desired-p.Available)*width+p.Desired-1)/p.Desired)
	if p.State == progress.Done {
		updated, missing = width, 0
	}
	return s.paint.Good(strings.Repeat("█", updated-missing)) + s.paint.Wait(strings.Repeat("▒", missing)) + s.paint.Dim(strings.Repeat("░", width-updated))
}

func (s screen) state(p *progress.Progress) string {
	switch p.State {
	case progress.Done:
		return s.paint.Good(p.Rollout())
	case progress.Halted, progress.Undecided, progress.Degraded:
		return s.paint.Bad(p.Rollout())
	}
	return s.paint.Wait(p.Rollout())
}
