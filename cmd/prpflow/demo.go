package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/internal/config"
	"github.com/prpflow/prpflow/internal/redisconn"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
)

//go:embed samples/*.md
var samples embed.FS

func (p *program) demoCmd() *cobra.Command {
	var once bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "Watch sample PRPs travel: everything in one process, nothing to install",
		Long: "Watch sample PRPs travel through a team of five built-in agents. Everything runs in this\n" +
			"process and in memory, and is gone when it ends.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.ownConfig(cmd)
			if err != nil {
				return err
			}
			if err := config.CheckListen(cfg.Listen, cfg.Tokens, cfg.Insecure); err != nil {
				return err
			}
			return p.demo(cmd.Context(), cfg, once)
		},
	}
	c.Flags().BoolVar(&once, "once", false, "end when all sample PRPs are complete")
	c.Flags().String("listen", "", "address of the pages (default 127.0.0.1:8080, else a free port)")
	c.Flags().Bool("insecure", false, "allow an address that others can reach, without tokens")
	return c
}

// team is who works in the demo.
func team() []agents.Spec {
	return []agents.Spec{
		{Name: "orchestrator", Role: "orchestrator", Builtin: "approve"},
		{Name: "dev-1", Role: "developer", Builtin: "approve", Delay: 700 * time.Millisecond},
		{Name: "dev-2", Role: "developer", Builtin: "approve", Delay: 900 * time.Millisecond},
		{Name: "validator", Role: "validator", Builtin: "reject-once", Delay: 300 * time.Millisecond},
		{Name: "integrator", Role: "integrator", Builtin: "approve", Delay: 200 * time.Millisecond},
	}
}

func (p *program) demo(ctx context.Context, cfg config.Config, once bool) (err error) {
	listener, err := demoListener(ctx, cfg)
	if err != nil {
		return err
	}
	defer listener.Close()
	state, err := os.MkdirTemp("", "prpflow-demo-")
	if errors.Is(err, fs.ErrNotExist) { // no folder for temporary files: the current one will do
		state, err = os.MkdirTemp(".", ".prpflow-demo-")
	}
	if err != nil {
		return fmt.Errorf("a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(state)) }()
	server, err := redisconn.Embedded(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	defer server.Close()
	cfg.Drain = 0
	n, err := startNode(ctx, nodeConfig{
		cfg: cfg, redis: server.URL, specs: team(), serves: true, state: state,
		log: slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close(ctx)) }()
	pages, err := n.pages(cfg, listener)
	if err != nil {
		return err
	}
	defer pages.end()
	fmt.Fprintf(p.out, "Five built-in agents carry sample PRPs. Everything is in memory, and gone when this ends.\nBoard: http://%s/\n\n", listener.Addr())
	if err := p.submitSamples(ctx, n.desk); err != nil {
		return err
	}
	f := p.follower(n.desk, nil, false)
	views, err := f.run(ctx, func(views []workflow.View) bool {
		return len(views) > 0 && !slices.ContainsFunc(views, func(v workflow.View) bool { return !v.Terminal })
	})
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	fmt.Fprintln(p.out)
	for _, v := range views {
		fmt.Fprintf(p.out, "%s %s (%d attempts, %s)\n", v.ID, v.State, v.Attempt, v.UpdatedAt.Sub(v.CreatedAt).Round(10*time.Millisecond))
	}
	if once {
		return nil
	}
	fmt.Fprintf(p.out, "\nThe board stays at http://%s/ until Ctrl-C. For PRPs of your own: prpflow serve --help\n", listener.Addr())
	<-ctx.Done()
	return nil
}

// demoListener takes a free port where the usual one is taken.
func demoListener(ctx context.Context, cfg config.Config) (net.Listener, error) {
	l, err := listen(ctx, cfg.Listen)
	if err == nil || cfg.Sources[config.KeyListen] != "default" {
		return l, err
	}
	return listen(ctx, "127.0.0.1:0")
}

func (p *program) submitSamples(ctx context.Context, d *desk) error {
	names, err := fs.Glob(samples, "samples/*.md")
	if err != nil {
		return err
	}
	var batch []engine.Submission
	for _, name := range names {
		text, err := samples.ReadFile(name)
		if err != nil {
			return err
		}
		batch = append(batch, engine.Submission{Source: name, Text: text, Actor: person("")})
	}
	done, err := d.engine.Submit(ctx, batch)
	if err != nil {
		return err
	}
	for _, s := range done {
		if s.Err != nil {
			return s.Err
		}
	}
	return nil
}
