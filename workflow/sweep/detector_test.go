package sweep_test

import (
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow/sweep"
)

// watched says after how long a process that fell silent is judged, when it is
// observed every second from the given time on.
func watched(from time.Duration) time.Duration {
	start := time.Unix(1_700_000_000, 0)
	var d sweep.Detector
	p := tasks.Process{Incarnation: "h:1:x", Beats: 7, Seen: start}
	d.Observe([]tasks.Process{p}, start)
	for at := from; at < time.Minute; at += time.Second {
		if gone, _ := d.Observe([]tasks.Process{p}, start.Add(at)); len(gone) > 0 {
			return at
		}
	}
	return 0
}

func TestWhoFallsSilentIsGoneAfterThePeriod(t *testing.T) {
	t.Parallel()
	if after := watched(time.Second); after != tasks.DefaultGoneAfter {
		t.Errorf("judged after %v", after)
	}
}

func TestWhoWasBlindJudgesNobodyForAWhile(t *testing.T) {
	t.Parallel()
	blind := 20 * time.Second
	if after, want := watched(blind), blind+tasks.DefaultGoneAfter+5*time.Second; after < want {
		t.Errorf("judged after %v, not before %v", after, want)
	}
}

func TestAClockThatGoesBackIsBlindness(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_700_000_000, 0)
	var d sweep.Detector
	p := []tasks.Process{{Incarnation: "h:1:x", Beats: 7, Seen: start}}
	d.Observe(p, start.Add(5*time.Second))
	if _, blind := d.Observe(p, start); !blind {
		t.Error("nobody notices that the registry's clock went back")
	}
	if gone, _ := d.Observe(p, start.Add(2*time.Second)); len(gone) > 0 {
		t.Errorf("gone: %v", gone)
	}
}

func TestProofOfDeathNeedsNoSilence(t *testing.T) {
	t.Parallel()
	var d sweep.Detector
	now := time.Unix(1_700_000_000, 0)
	for name, p := range map[string]tasks.Process{"dead": {Dead: true, Seen: now}, "left": {Left: true, Seen: now}} {
		if gone, _ := d.Observe([]tasks.Process{p}, now); len(gone) != 1 {
			t.Errorf("%s: gone %v", name, gone)
		}
	}
}

func TestWhoWasForgottenAndComesBackIsSeenAnew(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_700_000_000, 0)
	var d sweep.Detector
	p := tasks.Process{Incarnation: "h:1:x", Beats: 1, Seen: start}
	for s := range 8 {
		d.Observe([]tasks.Process{p}, start.Add(time.Duration(s)*time.Second))
	}
	p.Seen = start.Add(8 * time.Second) // it has beaten once, again
	if gone, _ := d.Observe([]tasks.Process{p}, start.Add(8*time.Second)); len(gone) > 0 {
		t.Error("it was judged by its former life")
	}
}
