package main

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/workflow"
)

// line is one line of a history as programs see it: all fields are there, and
// the times sort as text.
type line struct {
	At        string         `json:"at"`
	Event     string         `json:"event"`
	From      string         `json:"from"`
	To        string         `json:"to"`
	Actor     string         `json:"actor"`
	Reason    string         `json:"reason"`
	Job       string         `json:"job"`
	Published string         `json:"published"`
	Attempt   int            `json:"attempt"`
	Evidence  map[string]any `json:"evidence"`
}

// stamp is UTC with a fixed number of digits.
const stamp = "2006-01-02T15:04:05.000000Z"

func lines(entries []workflow.Entry) []line {
	out := make([]line, len(entries))
	for i, e := range entries {
		out[i] = line{
			At: e.At.UTC().Format(stamp), Event: e.Event, From: e.From, To: e.To, Actor: e.Actor, Reason: e.Reason,
			Job: e.Job, Published: e.Published, Attempt: e.Attempt, Evidence: e.Evidence,
		}
		if out[i].Evidence == nil {
			out[i].Evidence = map[string]any{}
		}
	}
	return out
}

func (p *program) historyCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "history ID",
		Short: "Show all that has happened to a PRP",
		Args:  cobra.ExactArgs(1),
		RunE: p.reads(func(cmd *cobra.Command, args []string, d *desk) error {
			entries, err := d.engine.History(cmd.Context(), args[0])
			if err != nil {
				return unknown(args[0], err)
			}
			if asJSON {
				return p.asJSON(lines(entries))
			}
			rows := make([][]string, len(entries))
			for i, e := range entries {
				rows[i] = []string{e.At.Local().Format("15:04:05.000"), e.Event, e.From, e.To, strconv.Itoa(e.Attempt), e.Actor, e.Reason}
			}
			if n := len(entries); n > 0 && time.Since(entries[0].At) > 24*time.Hour {
				for i, e := range entries {
					rows[i][0] = clock(e.At)
				}
			}
			return p.table("AT EVENT FROM TO ATTEMPT ACTOR REASON", rows)
		}),
	}
	return jsonFlag(c, &asJSON)
}
