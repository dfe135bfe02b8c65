package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/tasks"
)

// shownQueue is a queue of either lane.
type shownQueue struct {
	Lane    string `json:"lane"`
	Queue   string `json:"queue"`
	Waiting int64  `json:"waiting"`
	Active  int64  `json:"active"`
	Delayed int64  `json:"delayed"`
	Dead    int64  `json:"dead"`
	Paused  bool   `json:"paused"`
	// Oldest is how long the next one has been waiting.
	Oldest float64 `json:"oldest_seconds"`
	// Books are those of a queue of messages.
	Books *shownBooks `json:"books,omitempty"`
}

// shownBooks are the numbers of a queue that must add up.
type shownBooks struct {
	Pushed  int64 `json:"pushed"`
	Done    int64 `json:"done"`
	Dropped int64 `json:"dropped"`
	Failed  int64 `json:"failed_deliveries"`
	Missing int64 `json:"missing"`
}

func (p *program) queueCmd() *cobra.Command {
	return group("queue", "List, pause, empty and scale queues", p.queueListCmd(), p.queueDrainCmd(), p.queuePurgeCmd(), p.queueScaleCmd(),
		p.queueHoldCmd("pause", "Hand out nothing of a queue until it is resumed; `agent:NAME` means all its priorities"),
		p.queueHoldCmd("resume", "Undo pause"))
}

func (p *program) queueListCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the queues of tasks and messages",
		Args:  cobra.NoArgs,
		RunE: p.reads(func(cmd *cobra.Command, _ []string, d *desk) error {
			list, damaged := d.queues(cmd.Context()) // one that is damaged hides no other
			if asJSON {
				return errors.Join(p.asJSON(list), damaged)
			}
			rows := make([][]string, len(list))
			for i, q := range list {
				paused := ""
				if q.Paused {
					paused = "paused"
				}
				rows[i] = []string{q.Lane, q.Queue, n(q.Waiting), n(q.Active), n(q.Delayed), n(q.Dead), age(q.Oldest), paused}
			}
			return errors.Join(p.table("LANE QUEUE WAITING ACTIVE DELAYED DEAD OLDEST PAUSED", rows), damaged)
		}),
	}
	return jsonFlag(c, &asJSON)
}

// age is a number of seconds for people.
func age(seconds float64) string {
	if seconds == 0 {
		return "-"
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}

func n(i int64) string { return strconv.FormatInt(i, 10) }

func (d *desk) queues(ctx context.Context) ([]shownQueue, error) {
	list := []shownQueue{}
	queues, err := d.broker.Infos(ctx)
	if err != nil {
		return nil, err
	}
	for _, q := range queues {
		shown := shownQueue{
			Lane: laneTasks, Queue: q.Name, Waiting: int64(q.Pending), Active: int64(q.Active),
			Delayed: int64(q.Scheduled + q.Retry), Dead: int64(q.Archived), Paused: q.Paused,
		}
		if !q.Oldest.IsZero() {
			shown.Oldest = max(0, time.Since(q.Oldest).Seconds())
		}
		list = append(list, shown)
	}
	inboxes, err := d.inbox.Overviews(ctx)
	for _, o := range inboxes {
		list = append(list, shownQueue{
			Lane: laneMessages, Queue: queueOf(o.Name), Waiting: o.Depth.Waiting, Active: o.Depth.Taken, Delayed: o.Depth.Delayed,
			Dead: o.Depth.Dead, Paused: o.Depth.Paused, Oldest: o.Depth.Oldest.Seconds(),
			Books: &shownBooks{o.Books.Pushed, o.Books.Done, o.Books.Dropped, o.Books.Failed, o.Books.Imbalance()},
		})
	}
	return list, err
}

func (p *program) queueHoldCmd(verb, short string) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " QUEUE",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: p.with(func(cmd *cobra.Command, args []string, d *desk) error {
			ctx := cmd.Context()
			if name, ok := strings.CutPrefix(args[0], inboxQueue); ok {
				return p.holdInbox(ctx, d, verb, name)
			}
			known, err := d.broker.Infos(ctx)
			if err != nil {
				return err
			}
			want := []string{args[0]}
			if name, ok := strings.CutPrefix(args[0], "agent:"); ok && !strings.Contains(name, ":") {
				want = tasks.AgentQueues(name)
			}
			held := 0
			for _, q := range known {
				if !slices.Contains(want, q.Name) {
					continue
				}
				held++
				if verb == "pause" {
					err = d.broker.Pause(ctx, q.Name)
				} else {
					err = d.broker.Resume(ctx, q.Name)
				}
				if err != nil {
					return err
				}
				fmt.Fprintf(p.out, "%s: %sd\n", q.Name, verb)
			}
			if held == 0 {
				return &coded{errNotFound, fmt.Sprintf("there is no queue %s: `prpflow queue list` shows those that are", args[0])}
			}
			return nil
		}),
	}
}

// holdInbox pauses or resumes an inbox.
func (p *program) holdInbox(ctx context.Context, d *desk, verb, name string) error {
	hold := d.inbox.Resume
	if verb == "pause" {
		hold = d.inbox.Pause
	}
	if err := hold(ctx, name); err != nil {
		return sendError(err)
	}
	fmt.Fprintf(p.out, "%s: %sd\n", queueOf(name), verb)
	return nil
}
