package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/workflow"
)

func (p *program) logsCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "logs ID",
		Short: "Show what the runs of a PRP have printed",
		Args:  cobra.ExactArgs(1),
		RunE: p.reads(func(cmd *cobra.Command, args []string, d *desk) error {
			if _, _, err := d.store.Load(cmd.Context(), args[0]); err != nil {
				return unknown(args[0], err)
			}
			logs, err := d.store.Logs(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				if logs == nil {
					logs = []workflow.RunLog{}
				}
				return p.asJSON(logs)
			}
			if len(logs) == 0 {
				fmt.Fprintln(p.out, "no run of", args[0], "has printed anything")
			}
			for _, l := range logs {
				fmt.Fprintf(p.out, "--- %s, %s, job %s\n%s\n", clock(l.Started), l.Agent, l.Job, strings.TrimRight(agents.Printable(l.Text), "\n"))
			}
			return nil
		}),
	}
	return jsonFlag(c, &asJSON)
}
