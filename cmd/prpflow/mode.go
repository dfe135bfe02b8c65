package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/agents/inbox"
	"github.com/prpflow/prpflow/agents/mode"
)

// shownMode is what `mode --json` prints.
type shownMode struct {
	Mode   mode.Mode            `json:"mode"`
	Agents map[string]mode.Mode `json:"agents"`
	Last   *mode.Change         `json:"last,omitempty"`
}

func (p *program) modeCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "mode",
		Short: "Show how agents are told of messages: by redis, tmux, or dual for both",
		Long: "Show how a live agent is told of a message. In every mode a message is in the agent's inbox first.\n" +
			"redis: by the bus. tmux: by a line in its pane. dual: by both. The environment variable\n" +
			mode.Variable + " overrides the switch for a process.",
		Args: cobra.NoArgs,
		RunE: p.reads(func(cmd *cobra.Command, _ []string, d *desk) error {
			s, err := p.modes(d)
			if err != nil {
				return err
			}
			var shown shownMode
			if shown.Mode, err = s.Of(cmd.Context(), ""); err != nil {
				return err
			}
			if shown.Agents, err = s.Agents(cmd.Context()); err != nil {
				return err
			}
			changes, err := s.Changes(cmd.Context(), 1)
			if err != nil {
				return err
			}
			if len(changes) > 0 {
				shown.Last = &changes[0]
			}
			if asJSON {
				return p.asJSON(shown)
			}
			fmt.Fprintln(p.out, shown.Mode)
			for _, name := range sortedKeys(shown.Agents) {
				fmt.Fprintf(p.out, "%s: %s\n", name, shown.Agents[name])
			}
			if shown.Last != nil {
				fmt.Fprintf(p.out, "last turned by %s, %s: %s\n", shown.Last.By, clock(shown.Last.At), oneLine(shown.Last.Reason, 200))
			}
			return nil
		}),
	}
	c.AddCommand(p.modeSetCmd())
	return jsonFlag(c, &asJSON)
}

// modes opens the switch.
func (p *program) modes(d *desk) (*mode.Switch, error) {
	s, err := mode.New(d.rdb, p.variable(mode.Variable))
	if errors.Is(err, mode.ErrUnknown) {
		return nil, &coded{errUsage, err.Error()}
	}
	return s, err
}

// variable is a variable of the environment.
func (p *program) variable(name string) (value string) {
	for _, line := range p.env {
		if v, ok := strings.CutPrefix(line, name+"="); ok {
			value = v
		}
	}
	return value
}

func (p *program) modeSetCmd() *cobra.Command {
	var agent, reason, as string
	c := &cobra.Command{
		Use:   "set redis|tmux|dual",
		Short: "Turn the switch, for all or for one agent; agents follow within 2 seconds",
		Long:  "Turn the switch, for all agents without a switch of their own, or with --agent for one.\nWith --agent, `default` takes the agent's own switch away.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			change := mode.Change{By: person(as), Reason: reason}
			var err error
			if cmd.Flags().Changed("agent") {
				if change.Agent, err = inbox.Name(agent); err != nil {
					return sendError(err)
				}
			}
			if change.Agent == "" || args[0] != "default" {
				if change.Mode, err = mode.Parse(args[0]); err != nil {
					return usagef("%v", err)
				}
			}
			return p.with(func(cmd *cobra.Command, _ []string, d *desk) error {
				s, err := mode.New(d.rdb, "")
				if err != nil {
					return err
				}
				if err := s.Set(cmd.Context(), change); err != nil {
					return err
				}
				if value := p.variable(mode.Variable); value != "" {
					fmt.Fprintf(p.err, "%s=%s overrides the switch for processes that have it\n", mode.Variable, value)
				}
				return nil
			})(cmd, args)
		},
	}
	c.Flags().StringVar(&agent, "agent", "", "only for this agent")
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	c.Flags().StringVar(&as, "as", "", "who does it (default: the user of this system)")
	return c
}
