package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prpflow/prpflow/agents/inbox"
	"github.com/prpflow/prpflow/agents/mode"
	"github.com/prpflow/prpflow/agents/registry"
	"github.com/prpflow/prpflow/agents/scale"
	"github.com/prpflow/prpflow/dashboards"
	"github.com/prpflow/prpflow/internal/config"
)

// orchestrator is whose inbox hears of what a person should look at.
const orchestrator = "orchestrator"

// patrol checks the books, looks for alerts and for the conditions of a rollback, and
// measures how long runs take.
type patrol struct {
	n     *node
	modes *mode.Switch
	guard *mode.Guard
	watch *dashboards.Watch
	meter *scale.Meter

	mu     sync.Mutex
	alerts []dashboards.Alert
	told   map[string]bool // what has been said and still holds
}

// measureEvery is how often the meter looks.
const measureEvery = 5 * time.Second

func (n *node) startPatrol(environment string) error {
	p := &patrol{n: n, told: map[string]bool{}}
	var err error
	if p.modes, err = mode.New(n.rdb, environment); err != nil {
		return &coded{errUsage, err.Error()}
	}
	if p.guard, err = mode.NewGuard(n.rdb, p.modes, mode.Limits{}); err != nil {
		return err
	}
	if p.meter, err = scale.NewMeter(n.rdb); err != nil {
		return err
	}
	p.watch = dashboards.NewWatch(dashboards.Thresholds{
		Waiting: int64(n.cfg.AlertsWaiting), DeadLetters: int64(n.cfg.AlertsDead), Wait: n.cfg.AlertsWait, Oldest: n.cfg.AlertsOldest,
	})
	n.patrol = p
	n.every(n.cfg.AuditEvery, p.look)
	n.every(measureEvery, p.measure)
	return nil
}

// look is one round.
func (p *patrol) look(ctx context.Context) error {
	err := p.modes.Probe(ctx)
	var list []inbox.Overview
	if err == nil {
		list, err = p.n.inbox.Overviews(ctx)
	}
	var dead []inbox.Dead
	if err == nil {
		dead, err = p.n.inbox.Dead(ctx)
	}
	var agents []registry.Agent
	if err == nil {
		agents, _, err = p.n.registry.Agents(ctx)
	}
	books := make([]mode.Books, len(list))
	for i, o := range list {
		books[i] = mode.Books{Queue: queueOf(o.Name), Books: o.Books}
	}
	found, gerr := p.guard.Look(ctx, books, err)
	holds := map[string]bool{}
	if err == nil {
		alerts := p.watch.Look(time.Now(), list, dead, agents)
		p.mu.Lock()
		p.alerts = alerts
		p.mu.Unlock()
		for _, a := range alerts {
			holds[a.Name+" "+a.Subject] = true
			p.tell(ctx, a.Name+" "+a.Subject, a.Subject+": "+a.Text, a.Name == dashboards.AlertBooks || a.Name == dashboards.AlertUnwell)
		}
	}
	for _, f := range found {
		holds[f.Condition] = true
		p.rollBack(ctx, f)
	}
	for what := range p.told {
		if !holds[what] && err == nil {
			delete(p.told, what)
		}
	}
	return errors.Join(err, gerr)
}

// tell says something once, as long as it holds.
func (p *patrol) tell(ctx context.Context, what, text string, person bool) {
	if p.told[what] {
		return
	}
	p.n.log.Warn("alert: " + text)
	if person {
		// The same from another process within a day is the same message.
		_, _, err := p.n.inbox.Send(ctx, inbox.Draft{
			ID: fmt.Sprintf("alert-%s-%s", what, time.Now().UTC().Format("2006-01-02")), From: inbox.Postmaster, To: orchestrator,
			Text: "Alert: " + text, Priority: "high", Window: 24 * time.Hour,
		})
		if err != nil {
			p.n.log.Warn("the orchestrator is not told yet", "err", err)
			return
		}
	}
	p.told[what] = true
}

// rollBack does what the configuration says where a condition of a rollback holds.
func (p *patrol) rollBack(ctx context.Context, f mode.Found) {
	text := fmt.Sprintf("the message lane should be rolled back (%s): %s", f.Condition, f.Text)
	if p.n.cfg.Rollback == config.RollbackTmux && !p.told[f.Condition] {
		turned, err := p.modes.RollBack(ctx, mode.Change{By: "guard", Reason: f.Condition + ": " + f.Text})
		if err != nil {
			p.n.log.Warn("the switch is not turned yet", "err", err)
		} else if turned {
			text = "the switch was turned to tmux: " + text
		}
	}
	p.tell(ctx, f.Condition, text, f.Condition != mode.Imbalance) // of which there is an alert of its own
}

// measure looks at the runs in hand.
func (p *patrol) measure(ctx context.Context) error {
	processes, now, err := p.n.registry.Processes(ctx)
	if err != nil {
		return err
	}
	return p.meter.Look(ctx, processes, now)
}

// post is what the pages show of the messages' ways.
func (p *patrol) post(ctx context.Context) (dashboards.Post, error) {
	n := p.n
	shown := dashboards.Post{Bridge: n.bridge.Ready(), BridgeLag: n.bridge.Lag(), BridgeDropped: n.bridge.Dropped()}
	p.mu.Lock()
	shown.Alerts = p.alerts
	p.mu.Unlock()
	stat, err := n.spool.Stat(ctx)
	if err == nil {
		shown.Spooled, shown.SpoolBytes = stat.Records, stat.Bytes
		if !stat.Oldest.IsZero() {
			shown.SpoolOldest = time.Since(stat.Oldest)
		}
	}
	var merr, serr error
	shown.Mode, merr = p.modes.Of(ctx, "")
	shown.Scale, serr = n.wishes(ctx)
	return shown, errors.Join(err, merr, serr)
}

// wishes says how many agents each role should have.
func (d *desk) wishes(ctx context.Context) ([]scale.Wish, error) {
	infos, err := d.broker.Infos(ctx)
	if err != nil {
		return nil, err
	}
	processes, now, err := d.registry.Processes(ctx)
	if err != nil {
		return nil, err
	}
	service, err := scale.Service(ctx, d.rdb)
	if err != nil {
		return nil, err
	}
	queues := make([]scale.Queue, len(infos))
	for i, q := range infos {
		queues[i] = scale.Queue{Name: q.Name, Waiting: q.Pending + q.Scheduled + q.Retry}
	}
	return scale.Desired(scale.Roles(queues, processes, now, service), d.cfg.ScaleTarget), nil
}
