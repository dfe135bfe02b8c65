package dashboards

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

const laneMessages = "messages"

// inboxes are the metrics of the lane of messages.
func (c *collector) inboxes(ctx context.Context, to chan<- prometheus.Metric, gauge func(*prometheus.Desc, float64, ...string)) error {
	list, err := c.cfg.Inboxes.Overviews(ctx)
	if err != nil {
		return err
	}
	for _, o := range list {
		queue := "inbox:" + o.Name
		gauge(depth, float64(o.Depth.Waiting), laneMessages, queue)
		gauge(taken, float64(o.Depth.Taken), laneMessages, queue)
		gauge(delayed, float64(o.Depth.Delayed), laneMessages, queue)
		gauge(oldest, o.Depth.Oldest.Seconds(), laneMessages, queue)
		gauge(imbalance, float64(o.Books.Imbalance()), queue)
		for fate, n := range map[string]int64{"pushed": o.Books.Pushed, "done": o.Books.Done, "dropped": o.Books.Dropped, "failed": o.Books.Failed} {
			to <- prometheus.MustNewConstMetric(messages, prometheus.CounterValue, float64(n), queue, fate)
		}
		buckets, sum := o.Books.Waits.Buckets()
		to <- prometheus.MustNewConstHistogram(waits, uint64(max(0, o.Books.Waits.Count())), sum, buckets, queue)
	}
	letters, err := c.cfg.Inboxes.Dead(ctx)
	if err != nil {
		return err
	}
	byCause := map[string]int{}
	for _, l := range letters {
		byCause[l.Cause()]++
	}
	for cause, n := range byCause {
		gauge(dead, float64(n), laneMessages, cause)
	}
	return nil
}

// post are the metrics of the ways that messages take.
func (c *collector) post(ctx context.Context, gauge func(*prometheus.Desc, float64, ...string)) error {
	p, err := c.cfg.Post(ctx)
	gauge(spooled, float64(p.Spooled))
	gauge(spoolBytes, float64(p.SpoolBytes))
	gauge(spoolOldest, p.SpoolOldest.Seconds())
	up := 0.0
	if p.Bridge {
		up = 1
	}
	gauge(bridgeUp, up)
	gauge(bridgeLag, p.BridgeLag.Seconds())
	gauge(bridgeLost, float64(p.BridgeDropped))
	if p.Mode != "" {
		gauge(modeDesc, 1, string(p.Mode))
	}
	for _, a := range p.Alerts {
		gauge(alertDesc, 1, a.Name, a.Subject)
	}
	for _, w := range p.Scale {
		gauge(desired, float64(w.Desired), w.Role)
		gauge(service, w.Service, w.Role)
	}
	return err
}
