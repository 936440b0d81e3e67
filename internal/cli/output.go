package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/yaml"
)

// Output is -o.
type Output struct {
	format string
	among  []string
}

// Formats that -o takes; a command offers those that it has.
const (
	JSON = "json"
	YAML = "yaml"
	Wide = "wide"
	Name = "name"
)

// NewOutput adds -o to a command.
func NewOutput(cmd *cobra.Command, among ...string) *Output {
	o := &Output{among: among}
	cmd.Flags().StringVarP(&o.format, "output", "o", "", "format: "+strings.Join(among, ", ")+"; without, text for people")
	_ = cmd.RegisterFlagCompletionFunc("output", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return among, cobra.ShellCompDirectiveNoFileComp
	}) // it fails for a flag that does not exist, and this one does
	return o
}

// Check refuses a format that the command does not have.
func (o *Output) Check() error {
	if o.format == "" || slices.Contains(o.among, o.format) {
		return nil
	}
	return &Error{What: fmt.Sprintf("-o %s is unknown", o.format), Next: []string{"use one of: " + strings.Join(o.among, ", ")}}
}

// Is tells whether that format was asked for.
func (o *Output) Is(format string) bool { return o.format == format }

// Data tells whether the output is for programs: JSON or YAML.
func (o *Output) Data() bool { return o.format == JSON || o.format == YAML }

// Encode prints a value as JSON or YAML.
func (o *Output) Encode(w io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err == nil && o.format == YAML {
		text, err = yaml.JSONToYAML(text)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, strings.TrimRight(string(text), "\n"))
	return err
}

// Table prints rows under headings, as kubectl does.
func (o *Output) Table(w io.Writer, headings []string, rows [][]string) error {
	table := &metav1.Table{}
	for _, h := range headings {
		table.ColumnDefinitions = append(table.ColumnDefinitions, metav1.TableColumnDefinition{Name: h, Type: "string"})
	}
	for _, row := range rows {
		cells := make([]any, len(row))
		for i := range row {
			cells[i] = row[i]
		}
		table.Rows = append(table.Rows, metav1.TableRow{Cells: cells})
	}
	return printers.NewTablePrinter(printers.PrintOptions{Wide: o.Is(Wide)}).PrintObj(table, w)
}
