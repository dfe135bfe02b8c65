package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/agents/mode"
)

func (p *program) exportCmd() *cobra.Command {
	var lane string
	c := &cobra.Command{
		Use:   "export --lane messages|tasks|all FILE|-",
		Short: "Write what is in the queues to a file, for a post-mortem; it changes nothing",
		Long: "Write what is in the queues to a file, a JSON object a line. Each has a kind: queue, message,\n" +
			"dead_letter, mode_change, prp, history. An existing file is not overwritten. Stop the producers, or pause\n" +
			"the queues, for a picture of one moment.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if lane != laneMessages && lane != laneTasks && lane != "all" {
				return usagef("%q is not a lane: messages, tasks or all", lane)
			}
			return p.reads(func(cmd *cobra.Command, args []string, d *desk) error {
				return p.export(cmd.Context(), d, lane, args[0])
			})(cmd, args)
		},
	}
	c.Flags().StringVar(&lane, "lane", "all", "messages, tasks or all")
	return c
}

// export writes to a new file, or to standard output.
func (p *program) export(ctx context.Context, d *desk, lane, path string) (err error) {
	out := p.raw
	if path != "-" {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return usagef("%v", err)
		}
		defer func() {
			if cerr := f.Close(); err == nil {
				err = cerr
			}
		}()
		out = f
	}
	buffered := bufio.NewWriter(out)
	e := &exporter{desk: d, enc: json.NewEncoder(buffered)}
	e.enc.SetEscapeHTML(false)
	damaged := e.all(ctx, lane)
	if err := buffered.Flush(); err != nil || damaged != nil {
		return errors.Join(damaged, err)
	}
	fmt.Fprintf(p.err, "%d lines written\n", e.lines)
	return nil
}

// exporter writes lines.
type exporter struct {
	*desk
	enc   *json.Encoder
	lines int
}

// exported is a line.
type exported struct {
	Kind   string `json:"kind"`
	Queue  string `json:"queue,omitempty"`
	Worker string `json:"worker,omitempty"` // who has the message in hand
	PRP    string `json:"prp,omitempty"`
	Value  any    `json:"value"`
}

func (e *exporter) write(x exported) error {
	e.lines++
	return e.enc.Encode(x)
}

// all writes what can be read. What cannot is the error, and hides nothing else.
func (e *exporter) all(ctx context.Context, lane string) error {
	queues, damaged := e.queues(ctx)
	for _, q := range queues {
		if lane == "all" || lane == q.Lane {
			if err := e.write(exported{Kind: "queue", Queue: q.Queue, Value: q}); err != nil {
				return err
			}
		}
	}
	letters, err := e.letters(ctx)
	damaged = errors.Join(damaged, err)
	for _, l := range letters {
		if lane == "all" || lane == l.Lane {
			if err := e.write(exported{Kind: "dead_letter", Queue: l.Queue, PRP: l.PRP, Value: l}); err != nil {
				return err
			}
		}
	}
	if lane != laneTasks {
		damaged = errors.Join(damaged, e.messages(ctx))
	}
	if lane != laneMessages {
		damaged = errors.Join(damaged, e.work(ctx))
	}
	return damaged
}

// changesExported is more than the switch keeps.
const changesExported = 10_000

// messages writes what is in the inboxes, and how the switch was turned.
func (e *exporter) messages(ctx context.Context) error {
	names, err := e.inbox.Names(ctx)
	if err != nil {
		return err
	}
	var damaged []error
	for _, name := range names {
		waiting, err := e.inbox.Peek(ctx, name, 0)
		if err != nil {
			damaged = append(damaged, err)
			continue
		}
		for _, m := range waiting {
			if err := e.write(exported{Kind: "message", Queue: queueOf(name), Value: m}); err != nil {
				return err
			}
		}
		hands, err := e.inbox.InHand(ctx, name)
		if err != nil {
			damaged = append(damaged, err)
		}
		for _, worker := range sortedKeys(hands) {
			for _, m := range hands[worker] {
				if err := e.write(exported{Kind: "message", Queue: queueOf(name), Worker: worker, Value: m}); err != nil {
					return err
				}
			}
		}
	}
	s, err := mode.New(e.rdb, "")
	if err != nil {
		return err
	}
	changes, err := s.Changes(ctx, changesExported)
	for _, c := range changes {
		if err := e.write(exported{Kind: "mode_change", Value: c}); err != nil {
			return err
		}
	}
	return errors.Join(append(damaged, err)...)
}

// work writes the PRPs with their histories.
func (e *exporter) work(ctx context.Context) error {
	views, err := e.engine.List(ctx)
	if err != nil {
		return err
	}
	for _, v := range views {
		if err := e.write(exported{Kind: "prp", PRP: v.ID, Value: v}); err != nil {
			return err
		}
		history, err := e.engine.History(ctx, v.ID)
		if err != nil {
			return err
		}
		for _, h := range lines(history) {
			if err := e.write(exported{Kind: "history", PRP: v.ID, Value: h}); err != nil {
				return err
			}
		}
	}
	return nil
}
