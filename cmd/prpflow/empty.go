package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// drainLook is how often drain looks whether a queue is empty.
const drainLook = 200 * time.Millisecond

func (p *program) queueDrainCmd() *cobra.Command {
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "drain QUEUE",
		Short: "Wait until a queue is empty: nothing waits, is delayed or in hand",
		Args:  cobra.ExactArgs(1),
		RunE: p.with(func(cmd *cobra.Command, args []string, d *desk) error {
			ctx := cmd.Context()
			if timeout < 0 {
				return usagef("--timeout %s: it must not be negative", timeout)
			}
			if timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, timeout)
				defer cancel()
			}
			for {
				left, err := d.left(cmd.Context(), args[0])
				if err != nil || left == 0 {
					return err
				}
				select {
				case <-ctx.Done():
					if cmd.Context().Err() != nil {
						return cmd.Context().Err()
					}
					return fmt.Errorf("%s is not empty after %s: %d are left", args[0], timeout, left)
				case <-time.After(drainLook):
				}
			}
		}),
	}
	c.Flags().DurationVar(&timeout, "timeout", 0, "give up after so long, with exit 1 (default: never)")
	return c
}

// left is how much is in a queue.
func (d *desk) left(ctx context.Context, queue string) (left int64, err error) {
	list, err := d.queues(ctx)
	if err != nil {
		return 0, err
	}
	found := false
	for _, q := range list {
		if q.Queue == queue {
			found, left = true, left+q.Waiting+q.Active+q.Delayed
		}
	}
	if !found {
		return 0, &coded{errNotFound, fmt.Sprintf("there is no queue %s: `prpflow queue list` shows those that are", queue)}
	}
	return left, nil
}

func (p *program) queuePurgeCmd() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "purge inbox:AGENT --yes",
		Short: "Throw away the messages that wait in an inbox; they are counted as dropped",
		Args:  cobra.ExactArgs(1),
		RunE: p.with(func(cmd *cobra.Command, args []string, d *desk) error {
			name, ok := strings.CutPrefix(args[0], inboxQueue)
			if !ok {
				return usagef("%s is not a queue of messages: the work of PRPs is thrown away with `prpflow cancel`", args[0])
			}
			if !yes {
				return usagef("the messages cannot be brought back: `prpflow export` keeps them, --yes throws them away")
			}
			dropped, err := d.inbox.Purge(cmd.Context(), name)
			if err != nil {
				return sendError(err)
			}
			fmt.Fprintf(p.out, "%d messages thrown away\n", dropped)
			return nil
		}),
	}
	c.Flags().BoolVar(&yes, "yes", false, "really")
	return c
}

func (p *program) queueScaleCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "scale",
		Short: "Say how many agents of each role the work that waits calls for",
		Long: "Say how many agents of each role would finish what waits and runs within scale.target (30m), from how\n" +
			"much there is and from how long a run takes, which `serve` measures. A scaler may call it.",
		Args: cobra.NoArgs,
		RunE: p.with(func(cmd *cobra.Command, _ []string, d *desk) error {
			wishes, err := d.wishes(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return p.asJSON(wishes)
			}
			rows := make([][]string, len(wishes))
			for i, w := range wishes {
				rows[i] = []string{w.Role, fmt.Sprint(w.Desired), fmt.Sprint(w.Agents), fmt.Sprint(w.Waiting), fmt.Sprint(w.Running), age(w.Service)}
			}
			return p.table("ROLE DESIRED AGENTS WAITING RUNNING A-RUN-TAKES", rows)
		}),
	}
	return jsonFlag(c, &asJSON)
}
