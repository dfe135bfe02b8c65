package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/agents/exec"
	"github.com/prpflow/prpflow/agents/mode"
	"github.com/prpflow/prpflow/internal/redisconn"
)

func (p *program) agentCmd() *cobra.Command {
	return group("agent", "Run agents", p.agentRunCmd())
}

func (p *program) agentRunCmd() *cobra.Command {
	var file string
	var only []string
	c := &cobra.Command{
		Use:   "run --config FILE",
		Short: "Run the agents of a file until SIGTERM, which drains them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.config(cmd)
			if err != nil {
				return err
			}
			specs, err := loadAgents(file, only)
			if err != nil {
				return err
			}
			log := p.logger()
			n, err := startNode(cmd.Context(), nodeConfig{cfg: cfg, redis: cfg.Redis, specs: specs, state: cfg.StateDir, mode: p.variable(mode.Variable), log: log, signals: p.signals})
			if err != nil {
				return orderly(cmd.Context(), err)
			}
			log.Info("agents are ready", "agents", names(n.runtime.Specs()), "redis", redisconn.Redacted(cfg.Redis))
			return n.untilEnd(cmd.Context())
		},
	}
	c.Flags().StringVar(&file, "config", "agents.yaml", "agents file")
	c.Flags().StringSliceVar(&only, "only", nil, "only the agents of these names")
	c.Flags().Duration("drain", 0, "how long runs may finish after SIGTERM (default 30s)")
	c.Flags().String("state-dir", "", "folder for results that are not delivered yet")
	spoolFlag(c)
	return c
}

// untilEnd works until the signal comes, or the names are lost to another
// process; then it closes the node.
func (n *node) untilEnd(ctx context.Context) error {
	select {
	case <-ctx.Done():
		n.log.Info("ending: running agents may finish; interrupt once more (Ctrl-C) to hand their work back at once", "within", n.cfg.Drain)
		return n.close(ctx)
	case err := <-n.lost:
		n.cfg.Drain = 0
		if cerr := n.close(ctx); cerr != nil {
			n.log.Debug("close", "err", cerr)
		}
		return err
	}
}

// orderly is an end that somebody asked for before the process was ready: no error.
func orderly(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// loadAgents reads an agents file, all of it or the named ones.
func loadAgents(file string, only []string) ([]agents.Spec, error) {
	specs, err := agents.LoadFile(file)
	if err != nil {
		return nil, &coded{errUsage, err.Error()}
	}
	for _, s := range specs {
		if s.Exec != nil {
			if err := exec.CheckCommand(s.Exec.Command); err != nil {
				return nil, usagef("%s: agent %s: %v", file, s.Name, err)
			}
		}
	}
	if len(only) == 0 {
		return specs, nil
	}
	var chosen []agents.Spec
	for _, name := range only {
		i := slices.IndexFunc(specs, func(s agents.Spec) bool { return strings.EqualFold(s.Name, name) })
		switch {
		case i >= 0 && slices.ContainsFunc(chosen, func(s agents.Spec) bool { return s.Name == specs[i].Name }):
			return nil, usagef("--only names %s twice", name)
		case i < 0:
			return nil, usagef("%s has no agent %s, it has %s", file, name, strings.Join(names(specs), ", "))
		}
		chosen = append(chosen, specs[i])
	}
	return chosen, nil
}

func names(specs []agents.Spec) []string {
	out := make([]string, len(specs))
	for i, s := range specs {
		out[i] = s.Name
	}
	return out
}

// logger writes what a long-lived process has to say.
func (p *program) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// warner writes what a verb must not keep to itself.
func (p *program) warner() *slog.Logger {
	return slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func (p *program) agentsCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "agents",
		Short: "List every agent that was ever registered, and what it does",
		Args:  cobra.NoArgs,
		RunE: p.reads(func(cmd *cobra.Command, _ []string, d *desk) error {
			list, err := d.agents(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return p.asJSON(list)
			}
			if len(list) == 0 {
				fmt.Fprintln(p.out, "no agents have registered yet: start some with `prpflow agent run` or `prpflow serve --agents`")
				return nil
			}
			rows := make([][]string, len(list))
			for i, a := range list {
				rows[i] = []string{a.Name, a.Role, a.State, fmt.Sprintf("%d/%d", a.Running, a.Concurrency), a.Host, fmt.Sprint(a.PID), a.why()}
			}
			return p.table("NAME ROLE STATE RUNS HOST PID REASON", rows)
		}),
	}
	return jsonFlag(c, &asJSON)
}

// shownAgent is an agent as `agents --json` prints it.
type shownAgent struct {
	Name         string  `json:"name"`
	Role         string  `json:"role"`
	State        string  `json:"state"`
	LimitedUntil *string `json:"limited_until"`
	Reason       string  `json:"reason"`   // why it is unwell
	ProbeAt      *string `json:"probe_at"` // when that is looked at again
	Running      int     `json:"running"`
	Concurrency  int     `json:"concurrency"`
	Host         string  `json:"host"`
	PID          int     `json:"pid"`
}

func (d *desk) agents(ctx context.Context) ([]shownAgent, error) {
	list, now, err := d.registry.Agents(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]shownAgent, len(list))
	for i, a := range list {
		out[i] = shownAgent{Name: a.Name, Role: a.Role, State: a.State(now), Running: a.Running, Concurrency: max(a.Concurrency, 1), Host: a.Host, PID: a.PID}
		switch out[i].State {
		case "limited":
			out[i].LimitedUntil = toTheSecond(a.LimitedUntil)
		case "unwell":
			out[i].Reason, out[i].ProbeAt = a.Unwell, toTheSecond(a.Probe)
		case "gone":
			out[i].Running = 0
		}
	}
	return out, nil
}

func toTheSecond(at time.Time) *string {
	text := at.UTC().Format(time.RFC3339)
	return &text
}

// why says what keeps an agent from work.
func (a shownAgent) why() string {
	if a.Reason != "" && a.ProbeAt != nil {
		return a.Reason + " (looked at again at " + *a.ProbeAt + ")"
	}
	return a.Reason
}
