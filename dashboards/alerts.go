package dashboards

import (
	"fmt"
	"time"

	"github.com/prpflow/prpflow/agents/inbox"
	"github.com/prpflow/prpflow/agents/registry"
)

// Alert is something that a person should look at.
type Alert struct {
	Name    string    `json:"name"`
	Subject string    `json:"subject"` // the queue, or the agent
	Text    string    `json:"text"`
	Since   time.Time `json:"since"`
}

// The names of alerts.
const (
	AlertOverflow = "overflow"      // more waits than the threshold
	AlertDead     = "dead_letters"  // more messages died within an hour than the threshold
	AlertWait     = "wait"          // messages wait too long until they are taken
	AlertGone     = "consumer_gone" // what waits is old, and who took messages before takes them no more
	AlertBooks    = "books"         // messages are missing
	AlertUnwell   = "agent_unwell"  // an agent gets no work: it cannot be started, or its runs only fail
)

// Thresholds say from where on there is an alert. Zero: the alert is off.
type Thresholds struct {
	Waiting     int64         // messages in one inbox
	DeadLetters int64         // messages of one inbox that died within the last hour
	Wait        time.Duration // 95th percentile of the last ten minutes
	Oldest      time.Duration // age of the message at the head
}

// deadWithin is what "lately" is for dead letters, waitWithin for waiting times.
const (
	deadWithin = time.Hour
	waitWithin = 10 * time.Minute
	waitLeast  = 20 // deliveries, for a percentile that means something
)

// Watch finds alerts, look by look.
type Watch struct {
	limits Thresholds
	since  map[[2]string]time.Time
	looks  []looked // of the last ten minutes, the oldest first
}

type looked struct {
	at   time.Time
	list map[string]inbox.Overview
}

// NewWatch makes a watch.
func NewWatch(limits Thresholds) *Watch {
	return &Watch{limits: limits, since: map[[2]string]time.Time{}}
}

// Look says what is wrong at a moment, and since when.
func (w *Watch) Look(now time.Time, list []inbox.Overview, dead []inbox.Dead, agents []registry.Agent) []Alert {
	died := map[string]int64{}
	for _, d := range dead {
		if now.Sub(d.At) < deadWithin {
			died[d.To]++
		}
	}
	before := w.remember(now, list)
	var alerts []Alert
	for _, o := range list {
		add := func(name, format string, args ...any) {
			alerts = append(alerts, Alert{Name: name, Subject: "inbox:" + o.Name, Text: fmt.Sprintf(format, args...)})
		}
		d, l := o.Depth, w.limits
		if n := d.Waiting + d.Delayed; l.Waiting > 0 && n > l.Waiting {
			add(AlertOverflow, "%d messages wait, more than %d", n, l.Waiting)
		}
		if n := died[o.Name]; l.DeadLetters > 0 && n > l.DeadLetters {
			add(AlertDead, "%d messages have died within an hour, more than %d", n, l.DeadLetters)
		}
		waits := o.Books.Waits.Since(before[o.Name].Books.Waits)
		if p95 := waits.Quantile(0.95); l.Wait > 0 && waits.Count() >= waitLeast && p95 > l.Wait {
			add(AlertWait, "95 %% of the messages of the last ten minutes waited up to %s, longer than %s", p95.Round(time.Millisecond), l.Wait)
		}
		if taken := o.Books.Done + o.Books.Failed + d.Taken; l.Oldest > 0 && d.Oldest > l.Oldest && !d.Paused && taken > 0 {
			add(AlertGone, "the next message has been waiting for %s: nobody takes them", d.Oldest.Round(time.Second))
		}
		if missing := o.Books.Imbalance(); missing != 0 {
			add(AlertBooks, "the books do not balance: %s", o.Books)
		}
	}
	for _, a := range agents {
		if !a.Gone && a.Unwell != "" {
			alerts = append(alerts, Alert{Name: AlertUnwell, Subject: "agent:" + a.Name, Text: fmt.Sprintf("the agent on host %s gets no work: %s", a.Host, a.Unwell)})
		}
	}
	return w.date(now, alerts)
}

// remember keeps the looks of the last ten minutes, and answers the oldest.
func (w *Watch) remember(now time.Time, list []inbox.Overview) map[string]inbox.Overview {
	byName := make(map[string]inbox.Overview, len(list))
	for _, o := range list {
		byName[o.Name] = o
	}
	w.looks = append(w.looks, looked{now, byName})
	for len(w.looks) > 1 && now.Sub(w.looks[1].at) >= waitWithin {
		w.looks = w.looks[1:]
	}
	return w.looks[0].list
}

// date says since when each alert has been there.
func (w *Watch) date(now time.Time, alerts []Alert) []Alert {
	since := map[[2]string]time.Time{}
	for i, a := range alerts {
		key := [2]string{a.Name, a.Subject}
		since[key] = now
		if t, ok := w.since[key]; ok {
			since[key] = t
		}
		alerts[i].Since = since[key]
	}
	w.since = since
	return alerts
}
