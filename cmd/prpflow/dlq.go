package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/agents/inbox"
	"github.com/prpflow/prpflow/reliable"
	"github.com/prpflow/prpflow/workflow"
)

// letter is a dead letter as programs see it.
type letter struct {
	ID      string    `json:"id"`
	Lane    string    `json:"lane"`
	PRP     string    `json:"prp"`
	Queue   string    `json:"queue"`
	Reason  string    `json:"reason"`
	Attempt int       `json:"attempt"`
	At      time.Time `json:"at"`
	*spoken
}

// spoken is what a dead letter of the lane of messages has beside that.
type spoken struct {
	From      string      `json:"from"`
	To        string      `json:"to"`
	Message   string      `json:"message"`
	Priority  string      `json:"priority"`
	Type      string      `json:"type"`
	Timestamp time.Time   `json:"timestamp"`
	State     string      `json:"state"`
	History   []inbox.Try `json:"history"`
}

const (
	laneTasks    = "tasks"
	laneMessages = "messages"
)

func (p *program) dlqCmd() *cobra.Command {
	return group("dlq", "List, replay and drop dead letters: work that was given up",
		p.dlqListCmd(), p.dlqShowCmd(), p.dlqReplayCmd(), p.dlqDropCmd())
}

func asLetter(d workflow.DeadLetter) letter {
	return letter{d.ID, laneTasks, d.PRP, d.Queue, d.Reason, d.Attempt, d.At.UTC(), nil}
}

func asMessage(d inbox.Dead) letter {
	return letter{d.ID, laneMessages, "", queueOf(d.To), d.Reason, d.Attempt, d.At, &spoken{
		d.From, d.To, d.Message.Message, d.Priority, d.Type, d.Timestamp, d.State, d.History,
	}}
}

// queueOf is what the queue of an inbox is called.
func queueOf(name string) string { return inboxQueue + name }

const inboxQueue = "inbox:"

// letters lists the dead letters of both lanes: jobs and messages that were given
// up, and what was in an outbox and is no entry.
func (d *desk) letters(ctx context.Context) ([]letter, error) {
	dead, err := d.store.DeadLetters(ctx)
	if err != nil {
		return nil, err
	}
	letters := make([]letter, 0, len(dead))
	for _, l := range dead {
		letters = append(letters, asLetter(l))
	}
	messages, damaged := d.inbox.Dead(ctx) // one inbox that is damaged hides no other
	for _, m := range messages {
		letters = append(letters, asMessage(m))
	}
	aside, err := d.aside(ctx)
	return append(letters, aside...), errors.Join(damaged, err)
}

// aside lists what outboxes have put aside, since it is no entry.
func (d *desk) aside(ctx context.Context) (letters []letter, err error) {
	odd, err := d.store.OutboxDead(ctx)
	for _, m := range odd {
		letters = append(letters, letter{ID: m.ID, Lane: laneMessages, Queue: "outbox", Reason: m.Reason, Attempt: m.Attempts, At: m.At.UTC()})
	}
	return letters, err
}

// letter finds a dead letter of either lane. That of a task is found by its id;
// what an outbox has put aside is little.
func (d *desk) letter(ctx context.Context, id string) (letter, error) {
	dead, err := d.engine.DeadLetter(ctx, id)
	if err == nil {
		return asLetter(dead), nil
	}
	if !errors.Is(err, workflow.ErrNotFound) {
		return letter{}, err
	}
	messages, err := d.inbox.Dead(ctx)
	if err != nil {
		return letter{}, err
	}
	if i := slices.IndexFunc(messages, func(m inbox.Dead) bool { return m.ID == id }); i >= 0 {
		return asMessage(messages[i]), nil
	}
	aside, err := d.aside(ctx)
	if err != nil {
		return letter{}, err
	}
	i := slices.IndexFunc(aside, func(l letter) bool { return l.ID == id })
	if i < 0 {
		return letter{}, workflow.ErrNotFound
	}
	return aside[i], nil
}

func (p *program) dlqListCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the dead letters",
		Args:  cobra.NoArgs,
		RunE: p.reads(func(cmd *cobra.Command, _ []string, d *desk) error {
			letters, damaged := d.letters(cmd.Context())
			if asJSON {
				return errors.Join(p.asJSON(letters), damaged)
			}
			if len(letters) == 0 && damaged == nil {
				fmt.Fprintln(p.out, "no dead letters")
				return nil
			}
			rows := make([][]string, len(letters))
			for i, l := range letters {
				rows[i] = []string{l.ID, l.Lane, l.PRP, l.Queue, strconv.Itoa(l.Attempt), clock(l.At), l.Reason}
			}
			return errors.Join(p.table("ID LANE PRP QUEUE RUNS AT REASON", rows), damaged)
		}),
	}
	return jsonFlag(c, &asJSON)
}

func (p *program) dlqShowCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show a dead letter whole",
		Args:  cobra.ExactArgs(1),
		RunE: p.reads(func(cmd *cobra.Command, args []string, d *desk) error {
			l, err := d.letter(cmd.Context(), args[0])
			if err != nil {
				return noLetter(args[0], err)
			}
			if asJSON {
				return p.asJSON(l)
			}
			p.showLetter(l)
			return nil
		}),
	}
	return jsonFlag(c, &asJSON)
}

func (p *program) showLetter(l letter) {
	fmt.Fprintf(p.out, "%s\nlane:    %s\nPRP:     %s\nqueue:   %s\nruns:    %d\nat:      %s\nreason:  %s\n",
		l.ID, l.Lane, oneLine(l.PRP, 120), l.Queue, l.Attempt, clock(l.At), agents.Printable(l.Reason))
	if l.spoken == nil {
		return
	}
	fmt.Fprintf(p.out, "from:    %s\nsent:    %s\n", oneLine(l.From, 120), clock(l.Timestamp))
	for _, h := range l.History {
		fmt.Fprintf(p.out, "%d: %s, %s: %s\n", h.Attempt, clock(h.At), h.Worker, oneLine(h.Reason, 500))
	}
	fmt.Fprintf(p.out, "\n%s\n", agents.Printable(l.Message))
}

func noLetter(id string, err error) error {
	if errors.Is(err, workflow.ErrNotFound) || errors.Is(err, reliable.ErrNoLetter) {
		return &coded{errNotFound, fmt.Sprintf("there is no dead letter %s: `prpflow dlq list` shows those that are", id)}
	}
	return err
}

// errAside is about what an outbox has put aside.
func errAside(id string) error {
	return &coded{errRefused, fmt.Sprintf("%s was put aside by an outbox, since it is no entry: it can only be looked at", id)}
}

func (p *program) dlqReplayCmd() *cobra.Command {
	var a asked
	var queue string
	c := &cobra.Command{
		Use:   "replay ID",
		Short: "Put it back: fires retry on the PRP of a task, puts a message back into its inbox",
		Long: "Put it back. Of a task: fires retry on its PRP. Of a message: puts it back at the end of its\n" +
			"inbox, with its id and history. With --all the dead letters of an inbox go back: --all inbox:dev-1",
		Args: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("all") {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.ExactArgs(1)(cmd, args)
		},
		RunE: p.with(func(cmd *cobra.Command, args []string, d *desk) error {
			if queue != "" {
				return p.replayAll(cmd.Context(), d, queue)
			}
			l, err := d.letter(cmd.Context(), args[0])
			switch {
			case err != nil:
				return noLetter(args[0], err)
			case l.Lane == laneTasks:
				return p.fire(cmd, d, &a, l.PRP, "retry", "")
			case l.spoken == nil:
				return errAside(l.ID)
			}
			if err := d.inbox.Replay(cmd.Context(), l.To, l.ID); err != nil {
				return noLetter(l.ID, err)
			}
			fmt.Fprintf(p.out, "%s is back in the inbox of %s\n", l.ID, l.To)
			return nil
		}),
	}
	c.Flags().StringVar(&queue, "all", "", "replay all dead letters of this queue of messages, as inbox:dev-1")
	a.flags(c)
	return c
}

// replayAll puts back all dead letters of an inbox.
func (p *program) replayAll(ctx context.Context, d *desk, queue string) error {
	name, ok := strings.CutPrefix(queue, inboxQueue)
	if !ok {
		return usagef("%s is not a queue of messages: they are called inbox:AGENT", queue)
	}
	n, err := d.inbox.ReplayAll(ctx, name)
	if err != nil {
		return sendError(err)
	}
	fmt.Fprintf(p.out, "%d back in the inbox of %s\n", n, name)
	return nil
}

func (p *program) dlqDropCmd() *cobra.Command {
	var reason, as string
	c := &cobra.Command{
		Use:   "drop ID",
		Short: "Throw a dead letter away; the PRP of a task stays as it is",
		Args:  cobra.ExactArgs(1),
		RunE: p.with(func(cmd *cobra.Command, args []string, d *desk) error {
			ctx := cmd.Context()
			l, err := d.letter(ctx, args[0])
			switch {
			case err != nil:
			case l.Lane == laneTasks:
				err = d.engine.DropDeadLetter(ctx, l.ID, person(as), reason)
			case l.spoken == nil:
				err = errAside(l.ID)
			default:
				err = d.inbox.Drop(ctx, l.To, l.ID)
			}
			if err != nil {
				return noLetter(args[0], err)
			}
			fmt.Fprintln(p.out, args[0], "is dropped")
			return nil
		}),
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the history")
	c.Flags().StringVar(&as, "as", "", "who does it (default: the user of this system)")
	return c
}
