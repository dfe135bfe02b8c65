package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (p *program) inboxCmd() *cobra.Command {
	var asJSON bool
	var limit int
	c := &cobra.Command{
		Use:   "inbox AGENT",
		Short: "Look at the messages that wait for an agent; takes none",
		Long:  "Look at the messages that wait for an agent, in the order of delivery; takes none.\nWhat needs a person lies in the inbox of the orchestrator: prpflow inbox orchestrator",
		Args:  cobra.ExactArgs(1),
		RunE: p.with(func(cmd *cobra.Command, args []string, d *desk) error {
			messages, err := d.inbox.Peek(cmd.Context(), args[0], limit)
			if err != nil {
				return err
			}
			if asJSON {
				return p.asJSON(messages)
			}
			if len(messages) == 0 {
				fmt.Fprintln(p.out, "no messages for", args[0])
				return nil
			}
			rows := make([][]string, len(messages))
			for i, m := range messages {
				rows[i] = []string{clock(m.Timestamp), m.From, m.Priority, m.Message}
			}
			return p.table("AT FROM PRIORITY MESSAGE", rows)
		}),
	}
	c.Flags().IntVar(&limit, "limit", 0, "at most so many; 0: all")
	return jsonFlag(c, &asJSON)
}
