package reference

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"github.com/everynode/everynode/internal/cli"
	"github.com/everynode/everynode/internal/command"
)

// commands are those that can be described without linking a control plane. Flags' defaults are those of everynode-controller.
func commands() []*cobra.Command {
	return []*cobra.Command{
		command.NewController(command.ForCluster("VERSION")),
		cli.NewPlugin("VERSION"),
	}
}

// commandPages are one page for each command and each of its subcommands.
func commandPages() map[string][]byte {
	out := map[string][]byte{}
	for _, cmd := range commands() {
		addPages(out, cmd)
	}
	return out
}

func addPages(out map[string][]byte, cmd *cobra.Command) {
	out[fileOf(cmd)] = commandPage(cmd)
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			addPages(out, sub)
		}
	}
}

func fileOf(cmd *cobra.Command) string {
	return strings.ReplaceAll(cmd.CommandPath(), " ", "_") + ".md"
}

func commandPage(cmd *cobra.Command) []byte {
	p := newPage(cmd.CommandPath(), "the command itself")
	about := cmd.Long
	if about == "" {
		about = cmd.Short
	}
	p.text("%s", fenced(about))
	if cmd.Runnable() {
		p.text("```\n%s\n```", cmd.UseLine())
	}
	if cmd.Example != "" {
		p.text("## Examples")
		p.text("%s", fenced(cmd.Example))
	}
	cmd.InitDefaultHelpFlag()
	flags(p, "Flags", cmd.NonInheritedFlags())
	flags(p, "Flags of every command", cmd.InheritedFlags())
	related(p, cmd)
	return p.done()
}

// flags adds those of a set, as the command's own help shows them.
func flags(p *page, title string, set *pflag.FlagSet) {
	const width = 140
	if usage := strings.TrimRight(set.FlagUsagesWrapped(width), "\n"); usage != "" {
		p.text("## %s", title)
		p.text("```\n%s\n```", usage)
	}
}

// fenced makes Markdown of a help text: a paragraph that is set in by two spaces there is code.
func fenced(help string) string {
	paragraphs := strings.Split(strings.Trim(help, "\n"), "\n\n")
	for i, text := range paragraphs {
		if strings.HasPrefix(text, "  ") {
			paragraphs[i] = "```\n" + strings.ReplaceAll(strings.TrimPrefix(text, "  "), "\n  ", "\n") + "\n```"
		}
	}
	return strings.Join(paragraphs, "\n\n")
}

// related lists the command above and those below.
func related(p *page, cmd *cobra.Command) {
	var rows []string
	if cmd.HasParent() {
		rows = append(rows, fmt.Sprintf("- [%s](%s): %s", cmd.Parent().CommandPath(), fileOf(cmd.Parent()), cmd.Parent().Short))
	}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			rows = append(rows, fmt.Sprintf("- [%s](%s): %s", sub.CommandPath(), fileOf(sub), sub.Short))
		}
	}
	if len(rows) > 0 {
		p.text("## See also")
		p.text("%s", strings.Join(rows, "\n"))
	}
}

// Man gives the manual pages (section 1) by file name, one for each command and subcommand, for packages; they are not
// committed.
func Man() (map[string][]byte, error) {
	out := map[string][]byte{}
	var add func(*cobra.Command) error
	add = func(cmd *cobra.Command) error {
		cmd.DisableAutoGenTag = true
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
		var text bytes.Buffer
		header := doc.GenManHeader{Title: strings.ToUpper(name), Section: "1", Source: "everynode", Manual: "everynode"}
		if err := doc.GenMan(cmd, &header, &text); err != nil {
			return fmt.Errorf("the manual page of %s: %w", cmd.CommandPath(), err)
		}
		out[name+".1"] = text.Bytes()
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				if err := add(sub); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for _, cmd := range commands() {
		if err := add(cmd); err != nil {
			return nil, err
		}
	}
	return out, nil
}
