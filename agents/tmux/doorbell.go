package tmux

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Told is an agent who is told of its messages by its pane.
type Told struct {
	Agent string
	Pane  Pane
}

// DoorbellConfig says for whom a Doorbell rings. All but Every and Log is required.
type DoorbellConfig struct {
	Bell   *Bell
	Agents []Told
	// On says whether an agent is told by its pane now.
	On func(ctx context.Context, agent string) (bool, error)
	// Waiting answers the ids of the messages that wait for an agent.
	Waiting func(ctx context.Context, agent string) ([]string, error)
	// Every is how often it looks. Zero: a second.
	Every time.Duration
	// Log is told of what was typed and what could not be. Nil: nobody.
	Log *slog.Logger
}

// Doorbell tells agents in panes that messages wait for them: one line for all that
// are new, never twice for the same, and nothing while there is nothing new.
type Doorbell struct {
	cfg  DoorbellConfig
	rung map[string]map[string]bool // agent -> ids that it was told of
	next map[string]time.Time       // agent -> when to try again what could not be typed
}

// NewDoorbell makes one.
func NewDoorbell(cfg DoorbellConfig) (*Doorbell, error) {
	if cfg.Bell == nil || cfg.On == nil || cfg.Waiting == nil {
		return nil, errors.New("tmux: a doorbell needs a bell, a switch and inboxes")
	}
	if cfg.Every <= 0 {
		cfg.Every = time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Doorbell{cfg: cfg, rung: map[string]map[string]bool{}, next: map[string]time.Time{}}, nil
}

// Run rings until ctx ends.
func (d *Doorbell) Run(ctx context.Context) {
	tick := time.NewTicker(d.cfg.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, a := range d.cfg.Agents {
			if err := d.look(ctx, a); err != nil && ctx.Err() == nil {
				d.cfg.Log.Debug("the doorbell looks again", "agent", a.Agent, "err", err)
			}
		}
	}
}

// retryRing is when a pane is tried again that nothing could be typed into.
const retryRing = 10 * time.Second

// look rings for an agent who has new messages.
func (d *Doorbell) look(ctx context.Context, a Told) error {
	on, err := d.cfg.On(ctx, a.Agent)
	if err != nil || !on {
		return err
	}
	waiting, err := d.cfg.Waiting(ctx, a.Agent)
	if err != nil {
		return err
	}
	known, fresh := map[string]bool{}, 0
	for _, id := range waiting {
		known[id] = true
		if !d.rung[a.Agent][id] {
			fresh++
		}
	}
	if fresh == 0 || time.Now().Before(d.next[a.Agent]) {
		if fresh == 0 {
			d.rung[a.Agent] = known
		}
		return nil
	}
	verdict, err := d.cfg.Bell.Ring(ctx, a.Pane, Line(a.Agent, len(waiting)))
	if verdict == NotDelivered {
		d.next[a.Agent] = time.Now().Add(retryRing)
		d.cfg.Log.Warn("an agent is not told of its messages, trying again", "agent", a.Agent, "messages", len(waiting), "err", err)
		return nil
	}
	// Unconfirmed is not rung again: it may have been read, and the messages wait.
	d.rung[a.Agent] = known
	d.cfg.Log.Info("rang for messages", "agent", a.Agent, "messages", len(waiting), "verdict", verdict.String())
	return nil
}

// Line is what is typed for messages.
func Line(agent string, messages int) string {
	what, them := "messages wait", "them"
	if messages == 1 {
		what, them = "message waits", "it"
	}
	return fmt.Sprintf("[prpflow] %d %s for you. Read %s with: prpflow inbox %s --follow --idle-exit 1s", messages, what, them, agent)
}
