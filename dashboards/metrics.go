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
	taken       = desc("queue_taken", "Messages in the hands of workers.", "lane", "queue")
	delayed     = desc("queue_delayed", "Messages that are not due yet.", "lane", "queue")
	messages    = desc("messages_total", "Messages by what became of them; failed counts deliveries.", "queue", "fate")
	imbalance   = desc("books_imbalance", "Messages that are missing: pushed, and neither done, dead, dropped nor there.", "queue")
	waits       = desc("message_wait_seconds", "How long messages waited for their first delivery.", "queue")
	spooled     = desc("spool_messages", "Messages that wait on this process' disk for Redis.")
	spoolBytes  = desc("spool_bytes", "What they take on disk.")
	spoolOldest = desc("spool_oldest_seconds", "Age of the oldest of them.")
	bridgeUp    = desc("bridge_up", "1 while this process hears the bus.")
	bridgeLag   = desc("bridge_lag_seconds", "Age of the oldest message of the bus that is not in its inbox yet.")
	bridgeLost  = desc("bridge_dropped_total", "Messages of the bus that this process has dropped.")
	modeDesc    = desc("mode", "1 for the mode of the switch.", "mode")
	alertDesc   = desc("alert", "1 for what a person should look at.", "alert", "subject")
	desired     = desc("agents_desired", "Agents that the work of a role calls for.", "role")
	service     = desc("run_seconds", "How long a run of a role takes, a moving mean.", "role")
	scraped     = desc("scrape_errors", "Parts of the metrics that could not be read at this look.")
)

// Describe is prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{prps, transitions, depth, oldest, dead, lag, agentsDesc, slowed, scraped,
		taken, delayed, messages, imbalance, waits, spooled, spoolBytes, spoolOldest, bridgeUp, bridgeLag, bridgeLost, modeDesc, alertDesc, desired, service} {
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
	for _, part := range []func(context.Context, func(*prometheus.Desc, float64, ...string)) error{c.work, c.queues, c.agents, c.post} {
		if part(ctx, gauge) != nil {
			failed++
		}
	}
	if c.inboxes(ctx, to, gauge) != nil {
		failed++
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
