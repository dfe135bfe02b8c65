package main

import (
	"encoding/json"
	"fmt"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/workflow"
)

// asked are the flags that every event of a person takes.
type asked struct {
	reason, request, as string
	evidence            []string
}

func (a *asked) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&a.reason, "reason", "", "why, for the history")
	f.StringVar(&a.request, "request-id", "", "the same id twice is one event")
	f.StringVar(&a.as, "as", "", "who does it (default: the user of this system)")
}

func (a *asked) withEvidence(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&a.evidence, "evidence", nil, "evidence as KEY=VALUE; may be given more than once")
}

// actor is the person at the keyboard.
func (a *asked) actor() string { return person(a.as) }

func person(as string) string {
	if as != "" {
		return as
	}
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "somebody"
}

// trigger makes the event of the flags.
func (a *asked) trigger(id, event string) (workflow.Trigger, error) {
	tr := workflow.Trigger{PRP: id, Event: event, Actor: a.actor(), Reason: a.reason, RequestID: a.request}
	if tr.RequestID == "" { // a call whose answer is lost may be sent twice, and is one event
		tr.RequestID = "cli-" + nonce()
	}
	for _, pair := range a.evidence {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return tr, usagef("--evidence %q is not KEY=VALUE", pair)
		}
		if tr.Evidence == nil {
			tr.Evidence = map[string]any{}
		}
		tr.Evidence[key] = scalar(value)
	}
	return tr, nil
}

// scalar reads numbers and truth values as such, all else as text.
func scalar(text string) any {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err == nil {
		switch v.(type) {
		case float64, bool:
			return v
		}
	}
	return text
}

func (p *program) triggerCmd() *cobra.Command {
	var a asked
	c := &cobra.Command{
		Use:     "trigger ID EVENT",
		Short:   "Fire an event of the lifecycle",
		Example: "  prpflow trigger PRP-7 approve --evidence approved=true --reason \"looks good\"",
		Args:    cobra.ExactArgs(2),
		RunE: p.with(func(cmd *cobra.Command, args []string, d *desk) error {
			return p.fire(cmd, d, &a, args[0], args[1], "")
		}),
	}
	a.flags(c)
	a.withEvidence(c)
	return c
}

// shortCmd is a verb that fires the event of its name.
func (p *program) shortCmd(event, short string) *cobra.Command {
	var a asked
	c := &cobra.Command{
		Use:   event + " ID",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: p.with(func(cmd *cobra.Command, args []string, d *desk) error {
			return p.fire(cmd, d, &a, args[0], event, "")
		}),
	}
	a.flags(c)
	return c
}

func (p *program) approveCmd() *cobra.Command {
	var a asked
	c := &cobra.Command{
		Use:   "approve ID",
		Short: "Approve what is being validated; adds the evidence approved=true",
		Args:  cobra.ExactArgs(1),
		RunE: p.with(func(cmd *cobra.Command, args []string, d *desk) error {
			return p.fire(cmd, d, &a, args[0], "approve", "")
		}),
	}
	a.flags(c)
	a.withEvidence(c)
	return c
}

func (p *program) rejectCmd() *cobra.Command {
	return p.shortCmd("reject", "Send the work back to its developer, with --reason attached")
}

func (p *program) answerCmd() *cobra.Command {
	var a asked
	c := &cobra.Command{
		Use:   "answer ID TEXT",
		Short: "Answer the question that a PRP is blocked by",
		Args:  cobra.ExactArgs(2),
		RunE: p.with(func(cmd *cobra.Command, args []string, d *desk) error {
			return p.fire(cmd, d, &a, args[0], "answer", args[1])
		}),
	}
	a.flags(c)
	return c
}

// fire triggers the event and says where the PRP stands then.
func (p *program) fire(cmd *cobra.Command, d *desk, a *asked, id, event, answer string) error {
	tr, err := a.trigger(id, event)
	if err != nil {
		return err
	}
	tr.Answer = answer
	if _, err := d.engine.Trigger(cmd.Context(), tr); err != nil {
		return unknown(id, err)
	}
	v, err := d.engine.Show(cmd.Context(), id)
	if err != nil {
		return err
	}
	fmt.Fprintln(p.out, standing(v))
	return nil
}

// standing says in a line where a PRP stands.
func standing(v workflow.View) string {
	s := v.ID + " is in " + v.State
	switch {
	case v.Terminal:
		s = v.ID + " is " + v.State
	case v.Running:
		s += ", " + v.Agent + " works on it"
	}
	if v.Why != "" && !v.Terminal {
		s += ": " + v.Why
	}
	return s
}
