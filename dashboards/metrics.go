package dashboards

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collector reads the store whenever somebody asks for the metrics.
type collector struct {
	cfg Config
}

func newCollector(cfg Config) *collector { return &collector{cfg} }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("prpflow_"+name, help, labels, nil)
}

var (
	prps        = desc("prps", "PRPs by state.", "state")
	transitions = desc("transitions_total", "Entries of histories by event.", "event")
	depth       = desc("queue_depth", "What waits in a queue.", "lane", "queue")
	oldest      = desc("queue_oldest_seconds", "How long the next of a queue has been waiting.", "lane", "queue")
	dead        = desc("dead_letters", "Dead letters by why they died.", "lane", "reason")
	lag         = desc("outbox_lag_seconds", "Age of the oldest entry that is still to be sent.")
	agentsDesc  = desc("agents", "Agents by role and state.", "role", "state")
	slowed      = desc("unknown_scripts_total", "Answers held back from scripts of Asynq that are not recognised.")
	scraped     = desc("scrape_errors", "Parts of the metrics that could not be read at this look.")
)

// Describe is prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{prps, transitions, depth, oldest, dead, lag, agentsDesc, slowed, scraped} {
		to <- d
	}
}

// Collect is prometheus.Collector. What cannot be read is left out, and counted.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	failed := 0
	for _, part := range []func(context.Context, func(*prometheus.Desc, float64, ...string)) error{c.work, c.queues, c.agents} {
		if part(ctx, gauge) != nil {
			failed++
		}
	}
	if _, events, err := c.cfg.Counters.Counts(ctx); err == nil {
		for event, n := range events {
			to <- prometheus.MustNewConstMetric(transitions, prometheus.CounterValue, float64(n), event)
		}
	} else {
		failed++
	}
	to <- prometheus.MustNewConstMetric(slowed, prometheus.CounterValue, float64(c.cfg.Queues.SlowedScripts()))
	gauge(scraped, float64(failed))
}

func (c *collector) work(ctx context.Context, gauge func(*prometheus.Desc, float64, ...string)) error {
	states, _, err := c.cfg.Counters.Counts(ctx)
	if err != nil {
		return err
	}
	for state, n := range states {
		gauge(prps, float64(n), state)
	}
	letters, err := c.cfg.Counters.DeadLetters(ctx)
	if err != nil {
		return err
	}
	byCause := map[string]int{}
	for _, l := range letters {
		byCause[l.Cause]++
	}
	for cause, n := range byCause {
		gauge(dead, float64(n), "tasks", cause)
	}
	age, err := c.cfg.Counters.OutboxLag(ctx)
	if err != nil {
		return err
	}
	gauge(lag, age.Seconds())
	return nil
}

func (c *collector) queues(ctx context.Context, gauge func(*prometheus.Desc, float64, ...string)) error {
	queues, err := c.cfg.Queues.Infos(ctx)
	if err != nil {
		return err
	}
	for _, q := range queues {
		gauge(depth, float64(q.Pending), "tasks", q.Name)
		age := 0.0
		if !q.Oldest.IsZero() {
			age = max(0, time.Since(q.Oldest).Seconds())
		}
		gauge(oldest, age, "tasks", q.Name)
	}
	inboxes, err := c.cfg.Inboxes.Depths(ctx)
	if err != nil {
		return err
	}
	for name, n := range inboxes {
		gauge(depth, float64(n), "messages", "inbox:"+name)
	}
	return nil
}

func (c *collector) agents(ctx context.Context, gauge func(*prometheus.Desc, float64, ...string)) error {
	list, now, err := c.cfg.Agents.Agents(ctx)
	if err != nil {
		return err
	}
	type kind struct{ role, state string }
	n := map[kind]int{}
	for _, a := range list {
		n[kind{a.Role, a.State(now)}]++
	}
	for k, v := range n {
		gauge(agentsDesc, float64(v), k.role, k.state)
	}
	return nil
}
