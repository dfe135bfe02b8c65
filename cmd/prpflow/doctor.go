package main

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/internal/redisconn"
)

func (p *program) doctorCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look at how Redis is set up, and say what is odd and what to do",
		Long: "Look at how Redis is set up: version, eviction, memory, persistence, replicas, connections and clock; of a\n" +
			"cluster each master. It changes nothing. What may not be seen is a note. Exit 4 where something is severe:\n" +
			"work is lost, or will be.",
		Args: cobra.NoArgs,
		RunE: p.reads(func(cmd *cobra.Command, _ []string, d *desk) error {
			found, err := redisconn.Examine(cmd.Context(), d.rdb)
			if err != nil {
				return err
			}
			if asJSON {
				if found == nil {
					found = []redisconn.Finding{}
				}
				err = p.asJSON(found)
			} else {
				err = p.diagnosis(found)
			}
			if err != nil {
				return err
			}
			for _, f := range found {
				if f.Severity == redisconn.Severe {
					return &coded{errRefused, "something is severe: " + f.What}
				}
			}
			return nil
		}),
	}
	return jsonFlag(c, &asJSON)
}

func (p *program) diagnosis(found []redisconn.Finding) error {
	if len(found) == 0 {
		fmt.Fprintln(p.out, "nothing odd was found")
		return nil
	}
	for _, f := range found {
		if _, err := fmt.Fprintf(p.out, "%s: %s (%s)\n  %s\n", f.Severity, f.What, f.Rule, f.Fix); err != nil {
			return err
		}
	}
	return nil
}

// examine tells what is odd about Redis when a process begins to serve. One that loses
// work by its very settings is refused.
func (n *node) examine(ctx context.Context, rdb redis.UniversalClient) error {
	found, err := redisconn.Examine(ctx, rdb)
	if err != nil {
		n.log.Warn("Redis could not be looked at", "err", err)
		return nil
	}
	for _, f := range found {
		switch {
		case f.Severity == redisconn.Severe && f.Rule == redisconn.RuleEviction && !n.cfg.AcceptEviction:
			return fmt.Errorf("serving on Redis at %s is refused: %s; %s, or accept that with --accept-eviction", redisconn.Address(rdb), f.What, f.Fix)
		case f.Severity != redisconn.Note:
			n.log.Warn("Redis: "+f.What, "severity", f.Severity, "fix", f.Fix)
		}
	}
	return nil
}
