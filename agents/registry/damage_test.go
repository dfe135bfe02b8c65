package registry_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/agents/registry"
)

// damages are ways to spoil the entries of far:7:a and its agent dev-1: the text
// is that of the field, JSON of another kind or of another one's included.
var damages = map[string]struct{ key, field, text string }{
	"process, no JSON":        {"{reg}:beats", "far:7:a", "damaged"},
	"process, no object":      {"{reg}:beats", "far:7:a", "7"},
	"process, null":           {"{reg}:beats", "far:7:a", "null"},
	"process, of another":     {"{reg}:beats", "far:7:a", `{"incarnation":"far:9:z","gone_after":1}`},
	"process, of other types": {"{reg}:beats", "far:7:a", `{"incarnation":"far:7:a","gone_after":"long","agents":"many"}`},
	"time":                    {"{reg}:seen", "far:7:a", "damaged"},
	"number of heartbeats":    {"{reg}:count", "far:7:a", "damaged"},
	"agent, no JSON":          {"{reg}:agents", "dev-1", "damaged"},
	"agent, no object":        {"{reg}:agents", "dev-1", `[1]`},
	"agent, of another":       {"{reg}:agents", "dev-1", `{"name":"dev-7","incarnation":"far:7:a"}`},
}

func TestDamagedEntryBlindsNobody(t *testing.T) {
	for name, d := range damages {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			b.register(remote("far:7:a", "dev-1"))
			b.register(remote("far:8:b", "dev-2"))
			b.rdb.HSet(d.key, d.field, d.text)

			ps, _, err := b.Processes(t.Context())
			if err != nil || len(ps) != 2 || ps[0].Incarnation != "far:7:a" || ps[1].Incarnation != "far:8:b" || len(ps[1].Agents) != 1 {
				t.Fatalf("processes: %+v, %v", ps, err)
			}
			if strings.HasPrefix(name, "process") && (len(ps[0].Agents) > 0 || ps[0].Beats != 1 || !ps[0].Seen.Equal(b.now)) {
				t.Errorf("the damaged process is %+v", ps[0])
			}
			agents, _, err := b.Agents(t.Context())
			if err != nil || agents[len(agents)-1].Name != "dev-2" || agents[len(agents)-1].Gone {
				t.Errorf("agents: %+v, %v", agents, err)
			}
			if whole := !strings.HasPrefix(name, "agent"); whole != (len(agents) == 2) {
				t.Errorf("agents: %+v", agents)
			}

			b.register(remote("far:7:a", "dev-1")) // its next heartbeat
			ps, _, err = b.Processes(t.Context())
			if err != nil || len(ps[0].Agents) != 1 || !ps[0].Seen.Equal(b.now) || ps[0].Beats < 1 {
				t.Errorf("after a heartbeat: %+v, %v", ps, err)
			}
			if agents, _, err := b.Agents(t.Context()); err != nil || len(agents) != 2 {
				t.Errorf("after a heartbeat: %+v, %v", agents, err)
			}
		})
	}
}

func TestDamagedProcessIsBuriedWhenItFallsSilent(t *testing.T) {
	b := setup(t)
	b.register(remote("far:7:a", "dev-1"))
	b.rdb.HSet("{reg}:beats", "far:7:a", "damaged")
	b.pass(5 * time.Second)
	ps, now, err := b.Processes(t.Context())
	if err != nil || registry.Gone(ps[0], now) {
		t.Fatalf("it is gone too early: %+v, %v", ps, err)
	}
	err = b.Register(t.Context(), remote("near:8:b", "dev-1"))
	var taken *registry.NameTakenError
	if !errors.As(err, &taken) || taken.Host != "far" || taken.PID != 7 {
		t.Errorf("its name is free too early: %v", err)
	}
	b.pass(time.Second)
	if ps, now, err = b.Processes(t.Context()); err != nil || !registry.Gone(ps[0], now) {
		t.Errorf("it is not gone: %+v, %v", ps, err)
	}
	b.register(remote("near:8:b", "dev-1"))
	if err := b.Forget(t.Context(), known(t, b, "far:7:a")); err != nil {
		t.Fatal(err)
	}
	if ps, _, err := b.Processes(t.Context()); err != nil || len(ps) != 1 {
		t.Errorf("it is not forgotten: %+v, %v", ps, err)
	}
}

// The entry of a name is what says who holds it: without it, nobody does.
func TestNameOfADamagedAgentIsFree(t *testing.T) {
	b := setup(t)
	b.register(remote("far:7:a", "dev-1"))
	b.rdb.HSet("{reg}:agents", "dev-1", "damaged")
	b.register(remote("near:8:b", "dev-1"))
}

func TestDamageIsToldOnce(t *testing.T) {
	b := setup(t)
	var out bytes.Buffer
	b.Log = slog.New(slog.NewTextHandler(&out, nil))
	b.register(remote("far:7:a", "dev-1"))
	look := func() {
		t.Helper()
		if _, _, err := b.Agents(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		b.rdb.HSet("{reg}:beats", "far:7:a", "damaged")
		look()
		look()
		b.register(remote("far:7:a", "dev-1"))
		look()
	}
	if n := strings.Count(out.String(), `entry="process far:7:a"`); n != 2 {
		t.Errorf("%d warnings for two damages:\n%s", n, out.String())
	}
}
