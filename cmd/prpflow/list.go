package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/workflow"
)

func (p *program) listCmd() *cobra.Command {
	var asJSON bool
	var state, after string
	var limit int
	c := &cobra.Command{
		Use:   "list",
		Short: "List all PRPs, and what each one waits for",
		Args:  cobra.NoArgs,
		RunE: p.reads(func(cmd *cobra.Command, _ []string, d *desk) error {
			views, err := d.engine.List(cmd.Context())
			if err != nil {
				return err
			}
			if limit < 0 {
				return usagef("--limit %d: must be 0 or more", limit)
			}
			if after != "" { // before anything is left out: the order is that of creation
				i := slices.IndexFunc(views, func(v workflow.View) bool { return v.ID == after })
				if i < 0 {
					return unknown(after, workflow.ErrNotFound)
				}
				views = views[i+1:]
			}
			if state != "" {
				if err := d.knowsState(cmd.Context(), state, views); err != nil {
					return err
				}
				views = slices.DeleteFunc(views, func(v workflow.View) bool { return v.State != state })
			}
			left := 0
			if limit > 0 && len(views) > limit {
				views, left = views[:limit], len(views)-limit
			}
			if asJSON {
				if views == nil {
					views = []workflow.View{}
				}
				return p.asJSON(views)
			}
			if len(views) == 0 {
				fmt.Fprintln(p.out, "no PRPs")
				return nil
			}
			if err := p.table("ID STATE PRIORITY ATTEMPT AGENT TITLE WHY", rows(views)); err != nil || left == 0 {
				return err
			}
			fmt.Fprintf(p.out, "and %d more: prpflow list --limit %d --after %s\n", left, limit, views[len(views)-1].ID)
			return nil
		}),
	}
	c.Flags().IntVar(&limit, "limit", 0, "at most so many (0: all)")
	c.Flags().StringVar(&after, "after", "", "only those that follow this one in the list")
	c.Flags().StringVar(&state, "state", "", "only those in this state")
	return jsonFlag(c, &asJSON)
}

// knowsState refuses a state that no PRP is in and the active lifecycle has not: a
// typing error would look like good news.
func (d *desk) knowsState(ctx context.Context, state string, views []workflow.View) error {
	lc, err := d.activeLifecycle(ctx)
	if err != nil {
		return err
	}
	if slices.Contains(lc.States(), state) || slices.ContainsFunc(views, func(v workflow.View) bool { return v.State == state }) {
		return nil
	}
	return usagef("--state %s: there is no such state; the active lifecycle has %s", state, strings.Join(lc.States(), ", "))
}

func rows(views []workflow.View) [][]string {
	rows := make([][]string, len(views))
	for i, v := range views {
		rows[i] = []string{v.ID, v.State, v.Priority, strconv.Itoa(v.Attempt), v.Agent, oneLine(v.Title, 50), v.Why}
	}
	return rows
}

func (p *program) showCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show a PRP: where it stands, and why",
		Args:  cobra.ExactArgs(1),
		RunE: p.reads(func(cmd *cobra.Command, args []string, d *desk) error {
			v, err := d.engine.Show(cmd.Context(), args[0])
			if err != nil {
				return unknown(args[0], err)
			}
			if asJSON {
				return p.asJSON(v)
			}
			return p.describe(v)
		}),
	}
	return jsonFlag(c, &asJSON)
}

// revision tells which text the present run has, where that is another one.
func revision(v workflow.View) string {
	if v.RunRevision > 0 && v.RunRevision != v.Revision {
		return fmt.Sprintf("%d (the run has %d)", v.Revision, v.RunRevision)
	}
	return strconv.Itoa(v.Revision)
}

func (p *program) describe(v workflow.View) error {
	rows := [][]string{
		{"title", v.Title},
		{"state", v.State},
		{"why", v.Why},
		{"agent", v.Agent},
		{"priority", v.Priority},
		{"attempt", strconv.Itoa(v.Attempt)},
		{"depends on", strings.Join(v.DependsOn, ", ")},
		{"blocked by", strings.Join(v.BlockedBy, ", ")},
		{"unresolved", strings.Join(v.Unresolved, ", ")},
		{"revision", revision(v)},
		{"usage", fmt.Sprintf("%.2f USD, %d tokens in, %d out", v.Usage.CostUSD, v.Usage.InputTokens, v.Usage.OutputTokens)},
		{"created", clock(v.CreatedAt)},
		{"updated", clock(v.UpdatedAt)},
	}
	return p.table(v.ID, rows)
}
