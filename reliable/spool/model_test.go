package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A spool behaves like two lists in memory, whatever is done to it by however many
// processes.
func TestSpoolBehavesLikeTwoLists(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "spool-model-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		m := &model{dir: dir}
		m.reopen(t)
		t.Repeat(map[string]func(*rapid.T){
			"append": m.append, "drain": m.drain, "drain all": m.drainAll, "reopen": m.reopen, "": m.look,
		})
	})
}

type model struct {
	dir        string
	processes  []*Spool
	log, stale []string
	old        map[string]bool
	n          int
}

func (m *model) reopen(t *rapid.T) {
	s, err := Open(Config{Dir: m.dir, Keep: time.Hour, MaxBytes: 3000})
	if err != nil {
		t.Fatal(err)
	}
	m.processes = append(m.processes, s)
}

func (m *model) one(t *rapid.T) *Spool { return rapid.SampledFrom(m.processes).Draw(t, "process") }

func (m *model) append(t *rapid.T) {
	if m.old == nil {
		m.old = map[string]bool{}
	}
	var list []Record
	for range rapid.IntRange(1, 5).Draw(t, "records") {
		r := Record{Queue: "q", ID: fmt.Sprint("m", m.n), At: time.Now(), Body: rapid.SliceOf(rapid.Byte()).Draw(t, "body")}
		if m.n++; rapid.IntRange(0, 3).Draw(t, "age") == 0 {
			r.At = r.At.Add(-2 * time.Hour)
			m.old[r.ID] = true
		}
		list = append(list, r)
	}
	err := m.one(t).Append(t.Context(), list...)
	switch {
	case errors.Is(err, ErrFull):
		return
	case err != nil:
		t.Fatal(err)
	}
	for _, r := range list {
		m.log = append(m.log, r.ID)
	}
}

func (m *model) drain(t *rapid.T) {
	fails := rapid.Bool().Draw(t, "fails")
	var fresh, old, got []string
	for _, id := range m.log {
		if m.old[id] {
			old = append(old, id)
		} else {
			fresh = append(fresh, id)
		}
	}
	_, err := m.one(t).Drain(t.Context(), func(_ context.Context, list []Record) error {
		if fails {
			return errors.New("broken")
		}
		for _, r := range list {
			got = append(got, r.ID)
		}
		return nil
	})
	if fails && len(fresh) > 0 {
		if err == nil {
			t.Fatal("the error of push is gone")
		}
		return
	}
	m.log, m.stale = nil, append(m.stale, old...)
	if err != nil || !slices.Equal(got, fresh) {
		t.Fatalf("drained %q, want %q: %v", got, fresh, err)
	}
}

func (m *model) drainAll(t *rapid.T) {
	var p pushed
	_, err := m.one(t).DrainAll(t.Context(), p.push)
	if want := append(m.stale, m.log...); err != nil || !slices.Equal(p.ids, want) {
		t.Fatalf("drained %q, want %q: %v", p.ids, want, err)
	}
	m.log, m.stale = nil, nil
}

func (m *model) look(t *rapid.T) {
	s := m.one(t)
	list, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Concat(m.stale, m.log)
	stat, err := s.Stat(t.Context())
	if err != nil || stat.Records != len(want) || stat.Stale != len(m.stale) || stat.Bytes > 3000 {
		t.Fatalf("%+v, %v", stat, err)
	}
	for i, r := range list {
		if i >= len(want) || r.ID != want[i] || r.Stale != m.old[r.ID] {
			t.Fatalf("record %d is %+v, want %q", i, r, want)
		}
	}
	if len(list) != len(want) {
		t.Fatalf("%d records, want %q", len(list), want)
	}
}
