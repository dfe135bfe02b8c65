package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/agents/registry"
	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/prp"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
)

// submission is what the flags of submit say.
type submission struct {
	wait, dryRun, revise bool
	id, priority, repo   string
	depends              []string
	as                   string
}

func (p *program) submitCmd() *cobra.Command {
	var s submission
	c := &cobra.Command{
		Use:   "submit FILE|DIR…",
		Short: "Hand in PRPs",
		Long: "Hand in PRPs: documents, or folders of them (*.md). A batch is read whole first:\n" +
			"an unreadable file, a duplicate id or a dependency cycle creates nothing.",
		Example: "  prpflow submit PRPs/ --dry-run\n  prpflow submit PRP-7.md --wait",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.check(); err != nil {
				return err
			}
			batch, err := p.read(args, s)
			if err != nil {
				return err
			}
			if s.dryRun {
				return p.reads(func(cmd *cobra.Command, _ []string, d *desk) error { return p.plan(cmd.Context(), d, batch) })(cmd, args)
			}
			d, err := p.desk(cmd)
			if err != nil {
				return err
			}
			defer d.close()
			return p.submit(cmd.Context(), d, batch, s.wait)
		},
	}
	f := c.Flags()
	f.BoolVar(&s.wait, "wait", false, "wait until all are done; exit 5 if one fails or is cancelled")
	f.BoolVar(&s.dryRun, "dry-run", false, "say what would happen, create nothing")
	f.BoolVar(&s.revise, "revise", false, "put the document in the place of one that was submitted before")
	f.StringVar(&s.id, "id", "", "id, in place of the document's (one file only)")
	f.StringVar(&s.priority, "priority", "", "P0 to P3, in place of the document's")
	f.StringSliceVar(&s.depends, "depends-on", nil, "ids that it waits for, beside the document's")
	f.StringVar(&s.repo, "repo", "", "repository, in place of the document's; its merges happen one at a time")
	f.StringVar(&s.as, "as", "", "who submits (default: the user of this system)")
	return c
}

func (s submission) check() error {
	if s.priority != "" && !slices.Contains([]string{"P0", "P1", "P2", "P3"}, s.priority) {
		return usagef("--priority %s is not one of P0, P1, P2, P3", s.priority)
	}
	if s.id != "" {
		if err := prp.CheckID(s.id); err != nil {
			return usagef("--id: %v", err)
		}
	}
	return nil
}

// read reads the batch whole, before anything is created.
func (p *program) read(args []string, s submission) ([]engine.Submission, error) {
	var batch []engine.Submission
	add := func(path string, inFolder bool) error {
		text, err := readDocument(path)
		if err != nil {
			return err
		}
		doc, err := prp.Parse(path, text)
		if err != nil {
			return usagef("%v", err)
		}
		if inFolder && !doc.LooksLikePRP {
			fmt.Fprintf(p.err, "%s: skipped, it does not look like a PRP\n", path)
			return nil
		}
		batch = append(batch, engine.Submission{
			ID: s.id, Source: path, Text: text, Priority: s.priority, Depends: s.depends,
			Repo: s.repo, Revise: s.revise, Actor: person(s.as),
		})
		return nil
	}
	files, err := documents(args, p.passed)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if err := add(f.path, f.inFolder); err != nil {
			return nil, err
		}
	}
	if s.id != "" && len(batch) != 1 {
		return nil, usagef("--id %s names one PRP, and there are %d documents", s.id, len(batch))
	}
	if len(batch) == 0 {
		return nil, usagef("there is no PRP in %s", strings.Join(args, ", "))
	}
	return batch, nil
}

// passed says that something in a folder was not read.
func (p *program) passed(path, why string) { fmt.Fprintf(p.err, "%s: skipped, %s\n", path, why) }

// submit hands the batch in, says what became of each, and may wait for them.
func (p *program) submit(ctx context.Context, d *desk, batch []engine.Submission, wait bool) error {
	done, err := d.engine.Submit(ctx, batch)
	for _, s := range done {
		p.told(s)
	}
	if err != nil {
		return err
	}
	var refused []error
	var ids []string
	for _, s := range done {
		if s.Err != nil {
			refused = append(refused, s.Err)
			continue
		}
		ids = append(ids, s.ID)
	}
	if live, err := d.served(ctx); err == nil && !live && len(ids) > 0 {
		fmt.Fprintln(p.err, "No `prpflow serve` is running: what was submitted waits until one is started.")
	}
	if len(refused) > 0 {
		return &coded{errors.Join(refused...), refusal(refused)}
	}
	if wait {
		return p.wait(ctx, d, ids)
	}
	return nil
}

// refusal is one sentence for all that were refused.
func refusal(refused []error) string {
	if len(refused) == 1 {
		return refused[0].Error()
	}
	return fmt.Sprintf("%d documents were refused, see above", len(refused))
}

// told says what became of a document: its findings as warnings, its place on
// standard output.
func (p *program) told(s engine.Submitted) {
	for _, f := range s.Findings {
		kind := "warning"
		if f.Error {
			kind = "refused"
		}
		text := f.Message
		if f.Mend != "" {
			text += ". " + f.Mend
		}
		at := ""
		if f.Line > 0 {
			at = fmt.Sprintf(" line %d:", f.Line)
		}
		fmt.Fprintf(p.err, "%s: %s:%s %s (%s)\n", s.ID, kind, at, text, f.Rule)
	}
	for _, token := range s.Record.Unresolved {
		fmt.Fprintf(p.err, "%s: warning: it names %s, which no PRP is called; it does not wait for it\n", s.ID, token)
	}
	what := "submitted"
	switch {
	case s.Again:
		what = "already submitted"
	case s.Revised:
		what = "revised"
	case s.Kept:
		what = fmt.Sprintf("keeps revision %d", s.Record.Revision)
	case s.Err != nil && !errors.Is(s.Err, workflow.ErrUnfit):
		return
	}
	fmt.Fprintf(p.out, "%s %s, it is in %s\n", s.ID, what, s.Record.State)
}

// served says whether somebody relays and sweeps.
func (d *desk) served(ctx context.Context) (bool, error) {
	processes, now, err := d.registry.Processes(ctx)
	if err != nil {
		return false, err
	}
	for _, pr := range processes {
		if pr.Serves && !registry.Gone(pr, now) {
			return true, nil
		}
	}
	return false, nil
}

// plan prints what would run where, in the order of the dependencies.
func (p *program) plan(ctx context.Context, d *desk, batch []engine.Submission) error {
	plan, err := d.engine.Plan(ctx, batch)
	if err != nil {
		return err
	}
	agents, err := d.agents(ctx)
	if err != nil {
		return err
	}
	live := map[string]int{}
	for _, a := range agents {
		if a.State != "gone" {
			live[a.Role]++
		}
	}
	rows := make([][]string, len(plan))
	for i, r := range plan {
		verdict := "would be submitted"
		if len(r.Findings) > 0 {
			verdict = "would be refused: " + strings.Join(r.Findings, "; ")
		}
		rows[i] = []string{fmt.Sprint(i + 1), r.ID, r.Priority, strings.Join(r.DependsOn, ", "), strings.Join(r.Unresolved, ", "), r.Title, verdict}
	}
	if err := p.table("ORDER ID PRIORITY WAITS_FOR UNRESOLVED TITLE VERDICT", rows); err != nil {
		return err
	}
	for _, role := range d.roles(ctx) {
		if live[role] == 0 {
			fmt.Fprintf(p.out, "no live %s: work for that role would wait\n", role)
		}
	}
	return nil
}

// roles are those that the active lifecycle gives work to.
func (d *desk) roles(ctx context.Context) []string {
	lc, err := d.activeLifecycle(ctx)
	if err != nil {
		lc = fsm.Default()
	}
	var roles []string
	for _, name := range lc.States() {
		if s, _ := lc.State(name); s.Working() && !slices.Contains(roles, s.Role) {
			roles = append(roles, s.Role)
		}
	}
	return roles
}
