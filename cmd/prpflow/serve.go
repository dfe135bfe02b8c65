package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/agents/mode"
	"github.com/prpflow/prpflow/internal/config"
	"github.com/prpflow/prpflow/internal/redisconn"
)

func (p *program) serveCmd() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the engine, its board, queues and metrics; with --agents also agents",
		Long: "Run the engine: it sends what was committed, re-queues the work of dead agents, and serves the board,\n" +
			"asynqmon, metrics and health. Without an address of a Redis it starts its own redis-server,\n" +
			"on a socket that only you can open, with its data in .prpflow/, and starts it again if it dies.\n" +
			"Several may run on one store; the last one to end stops that redis-server.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.ownConfig(cmd)
			if err != nil {
				return err
			}
			if err := config.CheckListen(cfg.Listen, cfg.Tokens, cfg.Insecure); err != nil {
				return err
			}
			var specs []agents.Spec
			if file != "" {
				if specs, err = loadAgents(file, nil); err != nil {
					return err
				}
			}
			return p.serve(cmd.Context(), cfg, specs)
		},
	}
	f := c.Flags()
	f.StringVar(&file, "agents", "", "agents file; its agents run in this process")
	f.String("listen", "", "address of the pages (default 127.0.0.1:8080)")
	f.Bool("insecure", false, "allow an address that others can reach, without tokens")
	f.Bool("embedded", false, "keep everything in the memory of this process, in place of a Redis")
	f.Bool("accept-eviction", false, "work on a Redis that throws keys, and so PRPs, away when its memory is full")
	f.Bool("asynqmon-write", false, "let asynqmon change queues and tasks")
	f.Duration("drain", 0, "how long runs may finish after SIGTERM (default 30s)")
	f.String("state-dir", "", "folder for results that are not delivered yet")
	spoolFlag(c)
	return c
}

func (p *program) serve(ctx context.Context, cfg config.Config, specs []agents.Spec) (err error) {
	log := p.logger()
	listener, err := listen(ctx, cfg.Listen)
	if err != nil {
		return orderly(ctx, err)
	}
	defer listener.Close()
	address, end, err := p.redis(ctx, cfg, log)
	if err != nil {
		return orderly(ctx, err)
	}
	defer func() { err = errors.Join(err, end()) }()
	n, err := startNode(ctx, nodeConfig{cfg: cfg, redis: address, specs: specs, serves: true, state: cfg.StateDir, mode: p.variable(mode.Variable), log: log, signals: p.signals, spare: redisconn.Owns})
	if err != nil {
		return orderly(ctx, err)
	}
	pages, err := n.pages(cfg, listener)
	if err != nil {
		return errors.Join(err, n.close(ctx))
	}
	shown := redisconn.Redacted(address)
	if cfg.Embedded {
		shown = "in memory"
	}
	log.Info("prpflow serves", "board", "http://"+listener.Addr().String()+"/", "redis", shown, "agents", len(specs))
	defer pages.end()
	return n.untilEnd(ctx)
}

// redis gives the address to use: the one that somebody named, an embedded
// one, or that of a local server, which is started where it does not run.
func (p *program) redis(ctx context.Context, cfg config.Config, log *slog.Logger) (address string, end func() error, err error) {
	switch {
	case cfg.Embedded:
		server, err := redisconn.Embedded(context.WithoutCancel(ctx))
		if err != nil {
			return "", nil, err
		}
		fmt.Fprintln(p.err, "Everything is kept in memory: it is gone when this process ends.")
		return server.URL, server.Close, nil
	case cfg.RedisChosen():
		return cfg.Redis, func() error { return nil }, nil
	}
	server, err := redisconn.StartLocal(ctx, ".", log)
	if err != nil {
		return "", nil, err
	}
	return server.URL, server.Close, nil
}

// listen takes the address first of all, so that nothing has to be undone
// where somebody else has it.
func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, &coded{errLocal, fmt.Sprintf("cannot listen on %s (%v): choose another address with --listen", address, rootCause(err))}
	}
	return l, nil
}

func rootCause(err error) error {
	for next := err; next != nil; next = errors.Unwrap(next) {
		err = next
	}
	return err
}
