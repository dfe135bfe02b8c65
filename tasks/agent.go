package tasks

import "time"

// DefaultGoneAfter is how long a process may be silent before it counts as gone.
const DefaultGoneAfter = 6 * time.Second

// Alive says whether a process still counts, by the registry's clock.
func (p Process) Alive(now time.Time) bool {
	after := p.GoneAfter
	if after <= 0 {
		after = DefaultGoneAfter
	}
	return !p.Dead && !p.Left && now.Sub(p.Seen) < after
}

// Unavailable says why an agent takes no work at all now, "" where it does. A
// verb follows the agent's name: "is limited until 14:05 UTC".
func (a Agent) Unavailable(now time.Time) string {
	switch {
	case a.Draining:
		return "is draining"
	case a.LimitedUntil.After(now):
		return "is limited until " + Clock(a.LimitedUntil, now)
	case a.Unwell != "" && a.Probe.After(now):
		return "is unwell, looked at again at " + Clock(a.Probe, now) + ": " + a.Unwell
	case a.Unwell != "":
		return "is unwell: " + a.Unwell
	}
	return ""
}

// Clock tells a time as a person says it: with the day only where that is another.
func Clock(at, now time.Time) string {
	if at, now = at.UTC(), now.UTC(); at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04:05 UTC")
	}
	return at.Format("2006-01-02 15:04:05 UTC")
}

// Free is how many more runs the agent can take at once.
func (a Agent) Free() int { return max(max(a.Concurrency, 1)-a.Running, 0) }
