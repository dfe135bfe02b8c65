package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/agents/exec"
	"github.com/prpflow/prpflow/agents/inbox"
	"github.com/prpflow/prpflow/reliable"
)

// inboxOptions are the flags of inbox.
type inboxOptions struct {
	asJSON, take, follow bool
	limit                int
	wait, idleExit       time.Duration
	exec                 string
}

func (o *inboxOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.IntVar(&o.limit, "limit", 0, "show at most so many; 0: all")
	f.BoolVar(&o.take, "take", false, "take one message: exit 0 when it is acknowledged, 1 when the command failed, 3 when none came")
	f.DurationVar(&o.wait, "wait", 0, "with --take: wait so long for a message")
	f.StringVar(&o.exec, "exec", "", "with --take: run this with sh -c, the message as JSON on its standard input; without it the message is printed")
	f.BoolVar(&o.follow, "follow", false, "with --take: go on with the next message")
	f.DurationVar(&o.idleExit, "idle-exit", 0, "with --follow: end after so long without a message")
	jsonFlag(c, &o.asJSON)
}

func (o *inboxOptions) check() error {
	o.take = o.take || o.follow
	switch {
	case !o.take && (o.exec != "" || o.wait != 0):
		return usagef("--exec and --wait need --take: without it `inbox` only looks")
	case o.take && o.limit != 0:
		return usagef("--limit is for looking, not for --take")
	case o.idleExit != 0 && !o.follow:
		return usagef("--idle-exit needs --follow")
	case o.wait < 0 || o.idleExit < 0 || o.limit < 0:
		return usagef("--wait, --idle-exit and --limit must not be negative")
	}
	return nil
}

func (p *program) inboxCmd() *cobra.Command {
	var o inboxOptions
	c := &cobra.Command{
		Use:   "inbox AGENT",
		Short: "Look at the messages that wait for an agent; with --take, take them",
		Long: "Look at the messages that wait for an agent, in the order of delivery, then those that are delayed.\n" +
			"Looking takes none. With --take one message is taken and acknowledged when the command of --exec\n" +
			"ends with 0. If it fails, the message comes back after its backoff, at last as a dead letter; if this\n" +
			"process dies, it is back at the head within 10 seconds.\n" +
			"What needs a person is in the inbox of the orchestrator: prpflow inbox orchestrator",
		Example: "  prpflow inbox dev-1\n  prpflow inbox dev-1 --take --wait 1m --exec 'jq -r .message'\n  prpflow inbox dev-1 --follow --exec ./handle.sh",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			if !o.take && strings.EqualFold(strings.TrimSpace(args[0]), "broadcast") {
				return p.showInbox("broadcast", []inbox.Message{}, &o) // what is said to everybody is kept in no inbox
			}
			if _, err := inbox.Name(args[0]); err != nil {
				return sendError(err)
			}
			if o.take {
				return p.with(func(cmd *cobra.Command, args []string, d *desk) error { return p.take(cmd.Context(), d, args[0], &o) })(cmd, args)
			}
			return p.reads(func(cmd *cobra.Command, args []string, d *desk) error { return p.look(cmd.Context(), d, args[0], &o) })(cmd, args)
		},
	}
	o.flags(c)
	return c
}

func (p *program) look(ctx context.Context, d *desk, name string, o *inboxOptions) error {
	messages, err := d.inbox.Peek(ctx, name, o.limit)
	if err != nil {
		return err
	}
	return p.showInbox(name, messages, o)
}

func (p *program) showInbox(name string, messages []inbox.Message, o *inboxOptions) error {
	if o.asJSON {
		return p.asJSON(messages)
	}
	if len(messages) == 0 {
		fmt.Fprintln(p.out, "no messages for", name)
		return nil
	}
	rows := make([][]string, len(messages))
	for i, m := range messages {
		rows[i] = []string{m.ID, clock(m.Timestamp), m.From, m.State, m.Priority, m.Message}
	}
	return p.table("ID AT FROM STATE PRIORITY MESSAGE", rows)
}

func (p *program) take(ctx context.Context, d *desk, name string, o *inboxOptions) error {
	cfg := inbox.TakeConfig{Follow: o.follow, Wait: o.wait, Drain: d.cfg.Drain}
	if o.follow {
		cfg.Wait = o.idleExit
	}
	took := ""
	n, failed, err := d.inbox.Take(ctx, name, cfg, func(ctx context.Context, m inbox.Message) error {
		took = m.ID
		err := p.handle(ctx, m, o)
		if err != nil && o.follow {
			fmt.Fprintf(p.err, "prpflow: message %s, delivery %d: %v\n", m.ID, m.Attempt, err)
		}
		return err
	})
	switch {
	case err != nil || o.follow:
		return err
	case n == 0 && ctx.Err() != nil:
		return ctx.Err()
	case n == 0:
		return &coded{errNotFound, fmt.Sprintf("no message for %s came within %s", name, o.wait)}
	case failed != nil:
		return fmt.Errorf("the command failed (%w): %s", failed, d.fate(ctx, took))
	}
	return nil
}

// fate says what has become of a message whose command failed.
func (d *desk) fate(ctx context.Context, id string) string {
	if r, err := d.inbox.Find(context.WithoutCancel(ctx), id); err == nil && r.State == reliable.Dead {
		return "that was its last delivery, it is a dead letter now: prpflow dlq show " + id
	}
	return "the message comes back after its backoff"
}

// handle gives a message to the command, or prints it.
func (p *program) handle(ctx context.Context, m inbox.Message, o *inboxOptions) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if o.exec != "" {
		return exec.Shell(ctx, o.exec, bytes.NewReader(append(raw, '\n')), p.screen.to, p.complaints.to)
	}
	if o.asJSON {
		return p.asLine(m)
	}
	out := p.raw // a program reads the message as it is
	if isTerminal(p.screen.to) {
		out = p.out
	}
	_, err = fmt.Fprintf(out, "%s  %s  from %s\n%s\n", oneLine(m.ID, 120), clock(m.Timestamp), oneLine(m.From, 120), m.Message)
	return err
}
