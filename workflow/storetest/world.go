package storetest

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

func random() string {
	var b [6]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// id is a name that no other test has.
func (w *world) id(name string) string { return name + "-" + w.unique }

// as opens the store as a long-lived process of that name.
func (w *world) as(name string) (workflow.Store, string) {
	worker := "host:1:" + w.id(name)
	return w.open(worker), worker
}

func (w *world) no(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) is(err, want error) {
	w.t.Helper()
	if !errors.Is(err, want) {
		w.t.Fatalf("error %v, want %v", err, want)
	}
}

// create makes a record in the state new.
func (w *world) create(id string) workflow.Record {
	w.t.Helper()
	return w.apply(w.Store, w.creation(id))
}

func (w *world) creation(id string) workflow.Change {
	return workflow.Change{
		Token: random(), Record: workflow.Record{Schema: workflow.SchemaVersion, ID: id, Title: "a title", State: "new", Version: 1, Fence: 1, Attempt: 1},
		History: []workflow.Entry{{Event: "submitted", To: "new", Actor: "ann", Attempt: 1}},
	}
}

// move is a change of a record to a state.
func (w *world) move(rec workflow.Record, state string) workflow.Change {
	c := workflow.Change{Token: random(), SeenVersion: rec.Version, SeenState: rec.State, Record: rec.Clone()}
	c.Record.State, c.Record.Version = state, rec.Version+1
	c.History = []workflow.Entry{{Event: "to-" + state, From: rec.State, To: state, Actor: "engine", Evidence: map[string]any{"ok": true}}}
	return c
}

func (w *world) apply(s workflow.Store, c workflow.Change) workflow.Record {
	w.t.Helper()
	rec, err := s.Apply(w.ctx, c)
	w.no(err)
	return rec
}

// due lists all that is due.
func (w *world) due() []string {
	w.t.Helper()
	ids, err := w.Due(w.ctx, 1<<20)
	w.no(err)
	return ids
}

func (w *world) held(incarnation string) []string {
	w.t.Helper()
	ids, err := w.Held(w.ctx, incarnation)
	w.no(err)
	return ids
}

func (w *world) used(id, request string) string {
	w.t.Helper()
	event, err := w.Request(w.ctx, id, request)
	w.no(err)
	return event
}

// published lists the jobs of this test that are out, with their queues.
func (w *world) published() []tasks.JobRef {
	w.t.Helper()
	all := []tasks.JobRef{}
	for cursor := ""; ; {
		jobs, next, err := w.ScanPublished(w.ctx, cursor, 10)
		w.no(err)
		for _, j := range jobs {
			if strings.Contains(j.Job, w.unique) {
				all = append(all, j)
			}
		}
		if cursor = next; next == "" {
			break
		}
	}
	slices.SortFunc(all, func(a, b tasks.JobRef) int { return strings.Compare(a.Job, b.Job) })
	return slices.Compact(all)
}

// buried lists the dead letters of a PRP.
func (w *world) buried(id string) []workflow.DeadLetter {
	w.t.Helper()
	all, err := w.DeadLetters(w.ctx)
	w.no(err)
	return slices.DeleteFunc(all, func(d workflow.DeadLetter) bool { return d.PRP != id })
}

// see writes down all that a store shows of a PRP, as two processes see it, to
// compare before and after.
func (w *world) see(id string, s workflow.Store) string {
	w.t.Helper()
	rec, _, err := w.Load(w.ctx, id)
	if !errors.Is(err, workflow.ErrNotFound) {
		w.no(err)
	}
	history, err := w.History(w.ctx, id)
	w.no(err)
	logs, err := w.Logs(w.ctx, id)
	w.no(err)
	list, err := w.List(w.ctx)
	w.no(err)
	states, events, err := w.Counts(w.ctx)
	w.no(err)
	ours := func(name string, _ int64) bool { return !strings.Contains(name, w.unique) }
	mapsDelete(states, ours)
	mapsDelete(events, ours)
	listed := 0
	for _, r := range list {
		if r.ID == id {
			listed++
		}
	}
	b, err := json.MarshalIndent(map[string]any{
		"record": rec, "history": history, "logs": logs, "listed": listed, "states": states, "events": events,
		"due": slices.Contains(w.due(), id), "dead": w.buried(id), "outbox": []bool{w.waiting(id, id+"-1"), w.waiting(id, id+"-2", id+"-3")}, "mine": w.mine(s),
		"published": w.published(),
		"held":      [][]string{w.held(w.id("inc-1")), w.held(w.id("inc-2"))},
		"requests":  []string{w.used(id, "r-1"), w.used(id, "r-2")},
	}, "", " ")
	w.no(err)
	return string(b)
}

func mapsDelete(m map[string]int64, drop func(string, int64) bool) {
	for k, v := range m {
		if v == 0 || drop(k, v) {
			delete(m, k)
		}
	}
}

// same fails where what is seen is not what was seen before.
func (w *world) same(before, after string) {
	w.t.Helper()
	if before != after {
		w.t.Errorf("what must change nothing has changed something\nbefore: %s\nafter:  %s", before, after)
	}
}

// eventually waits for what a store does in its own time.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(end) {
			w.t.Fatalf("after 20 s not yet: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func job(id string, fence int64) *tasks.Job {
	return &tasks.Job{ID: tasks.NewJobID(id, fence, random()), PRP: id, Fence: fence, Type: "prp.develop", Role: "developer", Queue: "role:developer"}
}
