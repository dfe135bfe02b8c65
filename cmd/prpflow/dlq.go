package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

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
	return letter{d.ID, laneTasks, d.PRP, d.Queue, d.Reason, d.Attempt, d.At.UTC()}
}

// letters lists the dead letters of both lanes: jobs that were given up, and what
// was in an outbox and is no entry.
func (d *desk) letters(ctx context.Context) ([]letter, error) {
	dead, err := d.store.DeadLetters(ctx)
	if err != nil {
		return nil, err
	}
	letters := make([]letter, 0, len(dead))
	for _, l := range dead {
		letters = append(letters, asLetter(l))
	}
	aside, err := d.aside(ctx)
	return append(letters, aside...), err
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
		RunE: p.with(func(cmd *cobra.Command, _ []string, d *desk) error {
			letters, err := d.letters(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return p.asJSON(letters)
			}
			if len(letters) == 0 {
				fmt.Fprintln(p.out, "no dead letters")
				return nil
			}
			rows := make([][]string, len(letters))
			for i, l := range letters {
				rows[i] = []string{l.ID, l.Lane, l.PRP, l.Queue, strconv.Itoa(l.Attempt), clock(l.At), l.Reason}
			}
			return p.table("ID LANE PRP QUEUE RUNS AT REASON", rows)
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
		RunE: p.with(func(cmd *cobra.Command, args []string, d *desk) error {
			l, err := d.letter(cmd.Context(), args[0])
			if err != nil {
				return noLetter(args[0], err)
			}
			if asJSON {
				return p.asJSON(l)
			}
			fmt.Fprintf(p.out, "%s\nlane:   %s\nPRP:    %s\nqueue:  %s\nruns:   %d\nat:     %s\nreason: %s\n",
				l.ID, l.Lane, l.PRP, l.Queue, l.Attempt, clock(l.At), l.Reason)
			return nil
		}),
	}
	return jsonFlag(c, &asJSON)
}

func noLetter(id string, err error) error {
	if errors.Is(err, workflow.ErrNotFound) {
		return &coded{errNotFound, fmt.Sprintf("there is no dead letter %s: `prpflow dlq list` shows those that are", id)}
	}
	return err
}

func (p *program) dlqReplayCmd() *cobra.Command {
	var a asked
	c := &cobra.Command{
		Use:   "replay ID",
		Short: "Give the work out again: fires retry on its PRP",
		Args:  cobra.ExactArgs(1),
		RunE: p.with(func(cmd *cobra.Command, args []string, d *desk) error {
			dead, err := d.engine.DeadLetter(cmd.Context(), args[0])
			if err != nil {
				return noLetter(args[0], err)
			}
			return p.fire(cmd, d, &a, dead.PRP, "retry", "")
		}),
	}
	a.flags(c)
	return c
}

func (p *program) dlqDropCmd() *cobra.Command {
	var reason, as string
	c := &cobra.Command{
		Use:   "drop ID",
		Short: "Throw a dead letter away; its PRP stays as it is",
		Args:  cobra.ExactArgs(1),
		RunE: p.with(func(cmd *cobra.Command, args []string, d *desk) error {
			if err := d.engine.DropDeadLetter(cmd.Context(), args[0], person(as), reason); err != nil {
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
