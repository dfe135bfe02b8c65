package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/prp"
	"github.com/prpflow/prpflow/workflow"
)

// linted is what lint tells of a file.
type linted struct {
	File string `json:"file"`
	prp.Document
	Findings []prp.Finding `json:"findings"`
	Verdict  string        `json:"verdict"`
	Error    string        `json:"error,omitempty"` // why the file could not be read
}

// The verdicts of lint.
const (
	verdictPasses     = "passes"
	verdictRefused    = "refused"
	verdictUnreadable = "unreadable"
	verdictNoPRP      = "no PRP" // found in a folder, where it is skipped
)

// lintForm is how lint answers.
type lintForm struct {
	json, sarif, template bool
	explain               string
}

func (p *program) lintCmd() *cobra.Command {
	var form lintForm
	c := &cobra.Command{
		Use:   "lint FILE|DIR…",
		Short: "Say what a document is read as, and whether agents can be held to it",
		Long: "Say what documents are read as, and whether agents can be held to them. A file is\n" +
			"shown with its findings; a folder, or several files, as a table with what is wrong\n" +
			"between them: dependency cycles, duplicate ids, dependencies that name no document.\n\n" +
			"Exit codes: 0 all pass, 4 one would be refused, 2 one cannot be read.",
		Example: "  prpflow lint PRP-7.md\n  prpflow lint PRPs/ --json\n  prpflow lint --template >PRP-1.md\n  prpflow lint --explain no-criteria",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case form.template && len(args) == 0:
				_, err := io.WriteString(p.out, prp.Template)
				return err
			case form.explain != "" && len(args) == 0:
				return p.explain(form)
			case form.template || form.explain != "":
				return usagef("--template and --explain look at no file")
			case form.json && form.sarif:
				return usagef("--json and --sarif are two answers: ask for one")
			}
			if err := cobra.MinimumNArgs(1)(cmd, args); err != nil {
				return usagef("%v: name a file or a folder", err)
			}
			return p.lint(args, form)
		},
	}
	f := c.Flags()
	f.BoolVar(&form.sarif, "sarif", false, "print SARIF 2.1.0, for editors and CI")
	f.BoolVar(&form.template, "template", false, "print a document to begin with")
	f.StringVar(&form.explain, "explain", "", "say what a rule is for, and what to do; `all` for every rule")
	return jsonFlag(c, &form.json)
}

func (p *program) lint(args []string, form lintForm) error {
	files, err := documents(args, p.passed)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return usagef("there is no document (*.md) in %s", strings.Join(args, ", "))
	}
	all := lintAll(files)
	alone := len(files) == 1 && !files[0].inFolder
	switch {
	case form.sarif:
		err = p.asJSON(sarif(all))
	case form.json && alone:
		err = p.asJSON(all[0])
	case form.json:
		err = p.asJSON(all)
	case alone:
		err = p.lintOne(all[0])
	default:
		err = p.lintTable(all)
	}
	if err != nil {
		return err
	}
	return lintVerdict(all)
}

// explain says what a rule is for.
func (p *program) explain(form lintForm) error {
	found := prp.Rules()
	if form.explain != "all" {
		found = slices.DeleteFunc(found, func(r prp.Rule) bool { return r.Name != form.explain })
	}
	if len(found) == 0 {
		var names []string
		for _, r := range prp.Rules() {
			names = append(names, r.Name)
		}
		return usagef("no rule is called %s; the rules are %s", form.explain, strings.Join(names, ", "))
	}
	if form.json {
		return p.asJSON(found)
	}
	for _, r := range found {
		fmt.Fprintf(p.out, "%s (%s)\n  %s\n  %s\n", r.Name, severity(r.Error), r.Why, r.Mend)
	}
	return nil
}

// lintAll reads every file, then what they say of each other.
func lintAll(files []document) []linted {
	all := make([]linted, len(files))
	var set prp.Set
	for i, f := range files {
		all[i] = linted{File: f.path, Findings: []prp.Finding{}, Verdict: verdictUnreadable}
		text, err := readDocument(f.path)
		if err == nil {
			all[i].Document, err = prp.Parse(f.path, text)
		}
		switch {
		case err != nil:
			all[i].Error = err.Error()
		case f.inFolder && !all[i].LooksLikePRP:
			all[i].Verdict = verdictNoPRP
		default:
			set.Add(f.path, all[i].Document)
		}
	}
	between := set.Findings()
	for i := range all {
		if l := &all[i]; l.Verdict != verdictNoPRP && l.Error == "" {
			l.Findings = append(l.Document.Lint(), between[l.File]...)
			l.Verdict = verdictPasses
			if !prp.Fit(l.Findings) {
				l.Verdict = verdictRefused
			}
		}
	}
	return all
}

// lintOne prints what a document is read as, then what to look at.
func (p *program) lintOne(l linted) error {
	if l.Error != "" {
		return nil // said by lintVerdict
	}
	d := l.Document
	err := p.table("FIELD VALUE", [][]string{
		{"id", d.ID},
		{"title", d.Title},
		{"priority", d.Priority},
		{"status", d.Status},
		{"depends on", strings.Join(d.DependsOn, ", ")},
		{"criteria", strconv.Itoa(len(d.Criteria))},
		{"gates", strconv.Itoa(len(d.Gates))},
		{"verdict", l.Verdict},
	})
	if err != nil {
		return err
	}
	p.findings(l)
	return nil
}

func (p *program) lintTable(all []linted) error {
	rows := make([][]string, len(all))
	for i, l := range all {
		d := l.Document
		rows[i] = []string{
			l.File, d.ID, oneLine(d.Title, 50), d.Priority, strconv.Itoa(len(d.Criteria)),
			strconv.Itoa(len(d.Gates)), strings.Join(d.DependsOn, ", "), l.Verdict,
		}
	}
	if err := p.table("FILE ID TITLE PRIORITY CRITERIA GATES DEPENDS_ON VERDICT", rows); err != nil {
		return err
	}
	for _, l := range all {
		p.findings(l)
	}
	return nil
}

// findings prints a line for each, as compilers do.
func (p *program) findings(l linted) {
	for _, f := range l.Findings {
		line := fmt.Sprintf("%s:%d: %s: %s. %s (%s)", l.File, max(f.Line, 1), severity(f.Error), f.Message, f.Mend, f.Rule)
		fmt.Fprintln(p.out, agents.Printable(line)) // names of files hold what they like
	}
}

// lintVerdict is the error that decides the exit code: what cannot be read
// weighs most.
func lintVerdict(all []linted) error {
	var unreadable []error
	refused := 0
	for _, l := range all {
		switch l.Verdict {
		case verdictUnreadable:
			unreadable = append(unreadable, errors.New(l.Error))
		case verdictRefused:
			refused++
		}
	}
	switch {
	case len(unreadable) > 0:
		return &coded{errUsage, errors.Join(unreadable...).Error()}
	case refused == 1 && len(all) == 1:
		return &coded{workflow.ErrUnfit, all[0].File + " would be refused"}
	case refused > 0:
		return &coded{workflow.ErrUnfit, fmt.Sprintf("%d of %d documents would be refused", refused, len(all))}
	}
	return nil
}
