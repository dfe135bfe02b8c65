package main

import (
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/agents/inbox"
	"github.com/prpflow/prpflow/bus"
	"github.com/prpflow/prpflow/reliable"
)

// sendOptions are the flags of send.
type sendOptions struct {
	from, priority, id, status string
	ttl, delay, backoff        time.Duration
	maxAttempts                int
	asJSON                     bool
}

func (o *sendOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.from, "from", "", "the agent that sends it, which is told if the message cannot be delivered (default: the user of this system)")
	f.StringVar(&o.priority, "priority", "normal", "a label for the receiver; it changes no order")
	f.StringVar(&o.id, "id", "", "id of the message: the same id within ten minutes is one message")
	f.StringVar(&o.status, "status", "", "say where the message of this id is, and send nothing")
	f.DurationVar(&o.ttl, "ttl", 0, "after so long a message that nobody has taken becomes a dead letter")
	f.DurationVar(&o.delay, "delay", 0, "deliver it not before so long")
	f.IntVar(&o.maxAttempts, "max-attempts", 0, "deliveries that may fail, the last makes it a dead letter (default 5)")
	f.DurationVar(&o.backoff, "backoff", 0, "longest time from the first failure to the next delivery, doubled with each (default 1s)")
	jsonFlag(c, &o.asJSON)
}

func (p *program) sendCmd() *cobra.Command {
	var o sendOptions
	c := &cobra.Command{
		Use:   "send AGENT TEXT|-",
		Short: "Send a message to an agent's inbox; - reads it from standard input",
		Long: "Send a message to an agent's inbox, where it waits until the agent takes it. A text that begins\n" +
			"with a dash follows --. While Redis is unreachable the message is kept on disk, and sent by the next\n" +
			"`send`, or by `serve` or `agent run`, with which it says so and exits 0.",
		Example: "  prpflow send dev-1 'the build is green'\n  prpflow send dev-1 - <report.md\n  prpflow send --status 2k4jx3",
		Args: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("status") {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.ExactArgs(2)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.status != "" {
				return p.reads(func(cmd *cobra.Command, _ []string, d *desk) error { return p.receipt(cmd, d, &o) })(cmd, args)
			}
			return p.send(cmd, &o, args[0], args[1])
		},
	}
	o.flags(c)
	return spoolFlag(c)
}

// maxLabel bounds what a message has beside its text, in bytes.
const maxLabel = 1024

// draft is the message of the arguments.
func (p *program) draft(o *sendOptions, to, text string) (inbox.Draft, error) {
	d := inbox.Draft{
		ID: o.id, From: person(o.from), To: to, Text: text, Priority: o.priority, Type: bus.TypeDirect,
		TTL: o.ttl, Delay: o.delay, Backoff: o.backoff, MaxAttempts: o.maxAttempts,
	}
	if o.from != "" {
		d.Type = bus.TypeAgentToAgent
	}
	if text == "-" {
		raw, err := io.ReadAll(io.LimitReader(p.in, inbox.MaxText+1))
		if err != nil {
			return d, usagef("cannot read the message: %v", err)
		}
		d.Text = string(raw)
	}
	switch {
	case d.Text == "":
		return d, usagef("the message is empty")
	case !utf8.ValidString(d.Text):
		return d, usagef("the message is not UTF-8 text: put it into a file and send its path")
	case o.maxAttempts < 0:
		return d, usagef("--max-attempts must not be negative")
	case o.ttl > 0 && o.ttl <= o.delay:
		return d, usagef("--ttl %s would be over before --delay %s is", o.ttl, o.delay)
	}
	for name, value := range map[string]string{"id": o.id, "from": o.from, "priority": o.priority} {
		if !utf8.ValidString(value) {
			return d, usagef("--%s is not UTF-8 text", name)
		}
		if len(value) > maxLabel {
			return d, usagef("--%s has %d bytes, at most %d are allowed", name, len(value), maxLabel)
		}
	}
	for name, value := range map[string]time.Duration{"ttl": o.ttl, "delay": o.delay, "backoff": o.backoff} {
		if value < 0 || value > 0 && value < time.Millisecond {
			return d, usagef("--%s %s: a millisecond is the least", name, value)
		}
	}
	return d, nil
}

func (p *program) send(cmd *cobra.Command, o *sendOptions, to, text string) error {
	d, err := p.draft(o, to, text)
	if err != nil {
		return err
	}
	office, err := p.postOffice(cmd)
	if err != nil {
		return err
	}
	defer office.close()
	id, fresh, spooled, err := office.send(cmd.Context(), d)
	if err != nil {
		return sendError(err)
	}
	if o.asJSON {
		return p.asJSON(map[string]any{"id": id, "new": fresh, "spooled": spooled})
	}
	switch {
	case spooled:
		fmt.Fprintf(p.out, "spooled %s in %s: Redis cannot be reached; it is sent when Redis answers again\n", id, office.spool.Dir())
	case !fresh:
		fmt.Fprintf(p.out, "%s was sent before\n", id)
	default:
		fmt.Fprintln(p.out, id)
	}
	return nil
}

// receipt says where a message is.
func (p *program) receipt(cmd *cobra.Command, d *desk, o *sendOptions) error {
	r, err := d.inbox.Find(cmd.Context(), o.status)
	if err != nil {
		return err
	}
	if r.State == reliable.Unknown {
		return &coded{errNotFound, fmt.Sprintf("no inbox knows a message %s: it was never sent, is still spooled, or was done with long ago", o.status)}
	}
	if o.asJSON {
		return p.asJSON(r)
	}
	fmt.Fprintf(p.out, "%s (inbox of %s)\n", r.State, r.Inbox)
	return nil
}

func (p *program) broadcastCmd() *cobra.Command {
	var from, priority string
	c := &cobra.Command{
		Use:   "broadcast TEXT|-",
		Short: "Tell everybody who listens on the bus now; it lands in no inbox",
		Args:  cobra.ExactArgs(1),
		RunE: p.with(func(cmd *cobra.Command, args []string, d *desk) error {
			m, err := p.draft(&sendOptions{from: from, priority: priority}, "", args[0])
			if err != nil {
				return err
			}
			return sendError(d.inbox.Broadcast(cmd.Context(), m.From, m.Text, m.Priority))
		}),
	}
	c.Flags().StringVar(&from, "from", "", "who says it (default: the user of this system)")
	c.Flags().StringVar(&priority, "priority", "normal", "a label for those who hear it")
	return c
}
