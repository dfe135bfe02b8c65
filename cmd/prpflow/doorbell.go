package main

import (
	"context"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/agents/mode"
	"github.com/prpflow/prpflow/agents/tmux"
)

// ring types a line into a pane. That the screen did not confirm it is no error: it is
// never typed again.
func (n *node) ring(ctx context.Context, pane agents.Tmux, line string) error {
	verdict, err := n.bell.Ring(ctx, tmux.Pane{Target: pane.Pane, Socket: pane.Socket}, line)
	if verdict == tmux.NotDelivered {
		n.log.Warn("a task is not typed into its pane, trying again", "pane", pane.Pane, "err", err)
		return err
	}
	n.log.Info("typed a task into a pane", "pane", pane.Pane, "verdict", verdict.String())
	return nil
}

// startDoorbell tells agents in panes of their messages, where the mode says so.
func (n *node) startDoorbell(environment string) error {
	var told []tmux.Told
	for _, s := range n.runtime.Specs() {
		if s.Tmux != nil {
			told = append(told, tmux.Told{Agent: s.Name, Pane: tmux.Pane{Target: s.Tmux.Pane, Socket: s.Tmux.Socket}})
		}
	}
	if len(told) == 0 {
		return nil
	}
	modes, err := mode.New(n.rdb, environment)
	if err != nil {
		return &coded{errUsage, err.Error()}
	}
	bell, err := tmux.NewDoorbell(tmux.DoorbellConfig{
		Bell: n.bell, Agents: told, Log: n.log,
		On: func(ctx context.Context, agent string) (bool, error) {
			m, err := modes.Of(ctx, agent)
			return m.Pane(), err
		},
		Waiting: func(ctx context.Context, agent string) (ids []string, err error) {
			waiting, err := n.inbox.Peek(ctx, agent, 0)
			for _, m := range waiting {
				if m.State == "waiting" {
					ids = append(ids, m.ID)
				}
			}
			return ids, err
		},
	})
	if err != nil {
		return err
	}
	n.goes(bell.Run)
	return nil
}
