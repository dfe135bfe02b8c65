package agents

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// How an agent that cannot work, or whose runs only fail, is treated. None of it
// costs a PRP anything but time.
const (
	checkFirst = time.Second      // after a fault that can be looked for: program, interpreter, folder
	checkMost  = 15 * time.Second // doubled up to this
	trialFirst = 10 * time.Second // after one that only another run can tell
	trialMost  = 5 * time.Minute

	pauseFirst = time.Second // after the second failed run in a row, where peers can take the work; then doubled
	pauseMost  = 4 * time.Second
	badStreak  = 3 // failed runs in a row that make one ask how its peers do

	// othersFirst is how long a PRP on which the agent said nothing leaves a trial to
	// others: it may be the PRP, and they must not wait behind it.
	othersFirst = 6 * time.Second

	lookEvery = 250 * time.Millisecond
)

// health says whether an agent can work. An unwell one takes nothing until its
// next probe: a check of what it is made of, then one run on trial. It is well
// again once a run has come to an end.
type health struct {
	mu sync.Mutex
	condition
}

type condition struct {
	reason string // why it is unwell, "" where it is not
	since  time.Time
	next   time.Time // of the next probe
	wait   time.Duration
	byRun  bool // no check can tell whether it is well again
	trial  bool // the next run decides
	busy   bool // which is under way

	streak int             // failed runs in a row
	pause  time.Time       // takes nothing until then, for them
	silent bool            // its last run ended well, had nothing to say, and that was not enough
	mute   map[string]bool // PRPs whose runs were so since a run came to an end
	tried  time.Time       // since when it is on trial
	done   int64           // runs that came to an end
}

func (h *health) now() condition {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.condition
}

// enter asks for leave to run something: 0, or how long there is none and why. Who
// got leave calls leave.
func (h *health) enter(now time.Time, prp string) (wait time.Duration, why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.reason != "":
		return max(h.next.Sub(now), lookEvery), "it is unwell: " + h.reason
	case h.trial && h.mute[prp] && now.Sub(h.tried) < othersFirst:
		return pauseFirst, "it is tried with another PRP first"
	case h.trial && h.busy:
		return pauseFirst, "it is on trial with another run"
	case h.pause.After(now):
		return h.pause.Sub(now), fmt.Sprintf("its last %d runs failed", h.streak)
	}
	h.busy = h.trial
	return 0, ""
}

// leave ends what enter began.
func (h *health) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.busy = false
}

// sicken notes that the agent cannot work. It says whether that is news.
func (h *health) sicken(now time.Time, reason string, byRun bool) (news bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reason != "" && h.next.After(now) {
		return false // of a run that began before: many that fail at once are one fault
	}
	byRun = byRun || h.trial // a check has found nothing
	first, most := checkFirst, checkMost
	if byRun {
		first, most = trialFirst, trialMost
	}
	news = h.reason == "" && !h.trial
	if h.since.IsZero() {
		h.since = now
	}
	if h.wait = min(2*h.wait, most); h.wait < first {
		h.wait = first
	}
	h.reason, h.byRun, h.trial, h.next = reason, byRun, false, now.Add(h.wait)
	return news
}

// due says whether a probe is due, and whether it is a check.
func (h *health) due(now time.Time) (due, check bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reason != "" && !h.next.After(now), !h.byRun
}

// try puts the agent on trial.
func (h *health) try() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reason, h.trial, h.pause, h.tried = "", true, time.Time{}, time.Now()
}

// worked notes a run that came to an end: the agent is well. It says whether that
// is news.
func (h *health) worked() (news bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	news = h.trial || h.reason != ""
	h.condition = condition{done: h.done + 1}
	return news
}

// failed notes a failed run: how many there are in a row, and whether it was a trial.
func (h *health) failed() (streak int, trial bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.silent = false
	h.streak++
	return h.streak, h.trial
}

// slow has the agent take nothing for a while: who fails fastest must not get the most
// work.
func (h *health) slow(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pause = now.Add(min(pauseFirst<<min(max(h.streak-2, 0), 10), pauseMost))
}

// acquit ends a trial: the run failed, and that is not known to be the agent's fault.
func (h *health) acquit() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trial, h.since, h.wait = false, time.Time{}, 0
}

// quiet notes whether the last run ended well, said nothing, and that was not enough.
func (h *health) quiet(prp string, refused bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.silent = refused; refused {
		if h.mute == nil {
			h.mute = map[string]bool{}
		}
		h.mute[prp] = true
	}
}

func (h *health) wasMute() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.silent
}

// Checker is a Handler that can say, without running anything, why it could not:
// its program is missing, or its folder. A nil error promises nothing.
type Checker interface {
	Check() error
}

// check looks at what an agent is made of.
func (a *agent) check() error {
	if c, ok := a.handler.(Checker); ok {
		return c.Check()
	}
	return nil
}

// sicken notes that an agent cannot work, and shows it at once, so that its work
// goes to others.
func (r *Runtime) sicken(ctx context.Context, a *agent, reason string, byRun bool) {
	reason = oneLine(reason)
	if a.health.sicken(time.Now(), reason, byRun) {
		r.log.Warn("the agent is unwell and gets no work until a probe succeeds", "agent", a.spec.Name, "reason", reason)
	}
	if err := r.show(ctx); err != nil {
		r.log.Debug("not shown yet", "agent", a.spec.Name, "err", err)
	}
}

// checkAll looks at every agent before any work comes.
func (r *Runtime) checkAll() {
	for _, a := range r.agents {
		if err := a.check(); err != nil && a.health.sicken(time.Now(), oneLine(err.Error()), false) {
			r.log.Warn("the agent cannot be started: it gets no work until it can", "agent", a.spec.Name, "reason", err)
		}
	}
}

// followHealth probes agents that are unwell.
func (r *Runtime) followHealth(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		changed := false
		for _, a := range r.agents {
			due, check := a.health.due(time.Now())
			if !due {
				continue
			}
			changed = true
			if check {
				if err := a.check(); err != nil {
					a.health.sicken(time.Now(), oneLine(err.Error()), false)
					continue
				}
			}
			r.log.Info("the agent is given work again, on trial", "agent", a.spec.Name)
			a.health.try()
		}
		if changed {
			_ = r.show(ctx) // else the next heartbeat does
		}
	}
}

// blame says of an agent's failed run whether it is the agent's fault: its runs only
// fail, and those of a peer do not.
func (r *Runtime) blame(ctx context.Context, a *agent, result tasks.Result) (reason string) {
	streak, trial := a.health.failed()
	if !trial && streak < 2 {
		return ""
	}
	if r.cfg.Registry == nil {
		a.health.acquit()
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	processes, now, err := r.cfg.Registry.Processes(ctx)
	if err != nil {
		return "" // then it is asked again after the next
	}
	defer func() {
		if reason == "" {
			a.health.acquit()
		}
	}()
	for _, p := range processes {
		if !p.Alive(now) {
			continue
		}
		for _, peer := range p.Agents {
			if peer.Role != a.spec.Role || peer.Name == a.spec.Name || peer.Unavailable(now) != "" {
				continue
			}
			a.health.slow(time.Now())
			if peer.Failing == 0 && peer.Finished > 0 && (trial || streak >= badStreak) {
				return fmt.Sprintf("its last %d runs failed, and those of %s do not; the last: %s", streak, peer.Name, strings.Join(result.Reasons, "; "))
			}
		}
	}
	return ""
}

// reasonBytes bounds what is shown of a reason.
const reasonBytes = 300

func oneLine(text string) string {
	text = strings.Join(strings.Fields(Printable(text)), " ")
	if len(text) > reasonBytes {
		text = strings.ToValidUTF8(text[:reasonBytes], "") + "…"
	}
	return text
}
