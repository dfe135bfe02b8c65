package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/agents"
)

// jsonFlag adds --json to a verb that looks.
func jsonFlag(cmd *cobra.Command, to *bool) *cobra.Command {
	cmd.Flags().BoolVar(to, "json", false, "print JSON")
	return cmd
}

// asJSON prints one JSON value, for programs.
func (p *program) asJSON(v any) error {
	return p.encode(v, "  ")
}

func (p *program) encode(v any, indent string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", indent)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := p.raw.Write(escaped(b.Bytes()))
	return err
}

// table prints rows under a heading, for people. What comes from documents and
// agents is made printable.
func (p *program) table(head string, rows [][]string) error {
	w := tabwriter.NewWriter(p.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, strings.ReplaceAll(head, " ", "\t"))
	for _, row := range rows {
		for i, cell := range row {
			row[i] = oneLine(cell, 120)
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	return w.Flush()
}

// oneLine is a text as it fits into a table.
func oneLine(text string, limit int) string {
	text = strings.Join(strings.Fields(agents.Printable(text)), " ")
	if r := []rune(text); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	if text == "" {
		return "-"
	}
	return text
}

// clock is a time as people read it, in their own zone.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// asLine prints a JSON value on a line of its own.
func (p *program) asLine(v any) error {
	return p.encode(v, "")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
