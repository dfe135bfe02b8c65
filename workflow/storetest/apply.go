package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

var applyPromises = []promise{
	{"ACreatedRecordIsReadAsItWasWritten", func(t *testing.T, w *world) {
		c := w.creation(w.id("PRP"))
		fill(reflect.ValueOf(&c.Record).Elem())
		c.Record.ID, c.Record.Schema = w.id("PRP"), workflow.SchemaVersion
		made := w.apply(w.Store, c)
		got, now, err := w.Load(w.ctx, made.ID)
		w.no(err)
		if got.CreatedAt.IsZero() || !got.CreatedAt.Equal(got.UpdatedAt) || got.CreatedAt.After(now.Add(time.Second)) {
			t.Errorf("times: %v and %v, at %v", got.CreatedAt, got.UpdatedAt, now)
		}
		want := c.Record
		want.Version, want.Token, want.CreatedAt, want.UpdatedAt = 1, c.Token, got.CreatedAt, got.UpdatedAt
		many, _, err := w.LoadMany(w.ctx, []string{made.ID})
		w.no(err)
		for from, rec := range map[string]workflow.Record{"Apply": made, "Load": got, "LoadMany": many[0].Record} {
			if text(rec) != text(want) || rec.Token != want.Token {
				t.Errorf("%s answers\n%s\nwant\n%s", from, text(rec), text(want))
			}
		}
	}},
	{"AnUnknownRecordIsNotFound", func(t *testing.T, w *world) {
		for _, id := range []string{w.id("nobody"), ""} {
			_, now, err := w.Load(w.ctx, id)
			w.is(err, workflow.ErrNotFound)
			if now.IsZero() {
				t.Error("the clock is not told")
			}
		}
	}},
	{"LoadManyKeepsTheOrderAndTheGaps", func(t *testing.T, w *world) {
		a, b := w.create(w.id("A")), w.create(w.id("B"))
		recs, now, err := w.LoadMany(w.ctx, []string{b.ID, w.id("none"), "", a.ID, b.ID})
		w.no(err)
		if len(recs) != 5 || recs[0].ID != b.ID || recs[1].ID != "" || recs[2].ID != "" || recs[3].ID != a.ID || recs[4].ID != b.ID {
			t.Errorf("got %v", recs)
		}
		if now.IsZero() {
			t.Error("the clock is not told")
		}
		if none, _, err := w.LoadMany(w.ctx, nil); err != nil || len(none) != 0 {
			t.Errorf("nothing asked, answered %v, %v", none, err)
		}
		many := append(slices.Repeat([]string{w.id("none")}, 1200), a.ID)
		if recs, _, err = w.LoadMany(w.ctx, many); err != nil || len(recs) != 1201 || recs[1200].ID != a.ID {
			t.Errorf("of many: %d, %v", len(recs), err)
		}
	}},
	{"AnIdIsNeverPartOfAnotherOnes", func(t *testing.T, w *world) {
		for _, suffix := range []string{"", ":history", ":logs", ":dependants", ":request:r-1", ":r-1"} {
			rec := w.create(w.id("PRP") + suffix)
			c := w.move(rec, "validated")
			c.Request, c.Event = "r-1", "validate"
			w.apply(w.Store, c)
			w.no(w.PutLog(w.ctx, rec.ID, workflow.RunLog{Run: "a", Text: rec.ID}))
			w.no(w.AddDependant(w.ctx, rec.ID, "x"))
		}
		if used := w.used(w.id("PRP"), "r-1:r-1"); used != "" {
			t.Errorf("the request id of another was used for %q", used)
		}
		if h, err := w.History(w.ctx, w.id("PRP")); err != nil || len(h) != 2 {
			t.Errorf("history %v, %v", h, err)
		}
	}},
	{"AChangeIsSavedWhole", func(t *testing.T, w *world) {
		rec := w.busy("PRP")
		c := w.full(w.move(rec, w.id("other")))
		serve, _ := w.as("serve")
		made := w.apply(serve, c)
		got, _, err := w.Load(w.ctx, rec.ID)
		w.no(err)
		if text(got) != text(made) || got.Version != 3 || got.State != c.Record.State || got.Title != "another title" || !got.CreatedAt.Equal(rec.CreatedAt) {
			t.Errorf("saved %s", text(got))
		}
		if len(w.held(w.id("inc-1"))) != 0 || !slices.Equal(w.held(w.id("inc-2")), []string{rec.ID}) {
			t.Error("it was not handed over")
		}
		if dead := w.buried(rec.ID); len(dead) != 1 || text(dead[0]) != text(c.Bury[0]) {
			t.Errorf("dead letters %s", text(dead))
		}
		if slices.Contains(w.due(), rec.ID) {
			t.Error("it is due still")
		}
		if used := w.used(rec.ID, "r-2"); used != c.Event || w.used(rec.ID, "r-1") != "start" {
			t.Errorf("the request id was used for %q", used)
		}
		if want := []string{c.Outbox[0].ID, c.Outbox[1].ID}; !slices.Equal(w.mine(serve), want) {
			t.Errorf("to be sent: %v, want %v", w.mine(serve), want)
		}
	}},
	{"TheSameChangeTwiceIsOneAndAnswersTheSame", func(t *testing.T, w *world) {
		serve, _ := w.as("serve")
		rec := w.busy("PRP")
		for _, c := range []workflow.Change{w.full(w.move(rec, w.id("other"))), w.full(w.creation(w.id("made")))} {
			first := w.apply(serve, c)
			before := w.see(c.Record.ID, serve)
			if second := w.apply(serve, c); text(first) != text(second) {
				t.Errorf("answered %s, then %s", text(first), text(second))
			}
			w.same(before, w.see(c.Record.ID, serve))
		}
	}},
	{"ASentAgainChangeIsAnsweredAsItWasAfterOthers", func(t *testing.T, w *world) {
		serve, _ := w.as("serve")
		rec := w.busy("PRP")
		var changes []workflow.Change
		var answers []workflow.Record
		for i := range 16 {
			c := w.move(rec, w.id(fmt.Sprint("s", i)))
			c.Record.Title = fmt.Sprint("title ", i)
			rec = w.apply(serve, c)
			changes, answers = append(changes, c), append(answers, rec)
		}
		before := w.see(rec.ID, serve)
		for i, c := range changes {
			if again := w.apply(serve, c); text(again) != text(answers[i]) {
				t.Errorf("change %d was answered %s, then %s", i, text(answers[i]), text(again))
			}
		}
		w.same(before, w.see(rec.ID, serve))
	}},
	{"TheHistoryIsKeptInOrder", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		for _, s := range []string{"a", "b", "c"} {
			rec = w.apply(w.Store, w.move(rec, s))
		}
		h, err := w.History(w.ctx, rec.ID)
		w.no(err)
		if len(h) != 4 || h[0].Event != "submitted" || h[0].Actor != "ann" || h[3].To != "c" || h[3].Evidence["ok"] != true || !h[3].At.Equal(rec.UpdatedAt) {
			t.Fatalf("history %+v", h)
		}
		for i := 1; i < len(h); i++ {
			if h[i].From != h[i-1].To || h[i].At.Before(h[i-1].At) || h[i].At.IsZero() {
				t.Errorf("entry %d does not follow: %+v after %+v", i, h[i], h[i-1])
			}
		}
		none, err := w.History(w.ctx, w.id("nobody"))
		w.no(err)
		if len(none) != 0 {
			t.Errorf("nobody's history is %v", none)
		}
	}},
	{"SeveralEntriesOfOneChangeAreKept", func(t *testing.T, w *world) {
		c := w.creation(w.id("PRP"))
		last := workflow.Entry{Event: "assign", From: "validated", To: "assigned", Actor: "x", Reason: "line\n\"quoted\" ünï", Job: "j", Published: "k", Attempt: 2}
		c.History = append(c.History, workflow.Entry{Event: "validate", From: "new", To: "validated"}, last)
		rec := w.apply(w.Store, c)
		h, err := w.History(w.ctx, rec.ID)
		w.no(err)
		last.At = rec.UpdatedAt
		if len(h) != 3 || h[1].Event != "validate" || text(h[2]) != text(last) {
			t.Errorf("history %+v", h)
		}
	}},
	{"ARequestIdIsRememberedWithItsEvent", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		if used := w.used(rec.ID, "r-1"); used != "" {
			t.Errorf("a fresh id was used for %q", used)
		}
		c := w.move(rec, "cancelled")
		c.Request, c.Event = "r-1", "cancel"
		rec = w.apply(w.Store, c)
		w.apply(w.Store, w.move(rec, "other"))
		if used := w.used(rec.ID, "r-1"); used != "cancel" {
			t.Errorf("used for %q", used)
		}
		other := w.create(w.id("other"))
		if used := w.used(other.ID, "r-1"); used != "" {
			t.Errorf("the id of one PRP counts for another: %q", used)
		}
	}},
	{"AChangeWithoutARequestUsesNone", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		c := w.move(rec, "validated")
		c.Event = "validate"
		w.apply(w.Store, c)
		if used := w.used(rec.ID, ""); used != "" {
			t.Errorf("no id was used for %q", used)
		}
	}},
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// fill gives every field a value that is not its zero, so that one that a store
// forgets is seen, also one that a later version adds.
func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 5, 4, 3, 2, 1, 123456000, time.UTC)))
		return
	case map[string]any:
		v.Set(reflect.ValueOf(map[string]any{"ok": true, "text": "line\n\"quoted\" ünï"}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("text/é\"\n")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(1.25)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.Map:
		val := reflect.New(v.Type().Elem()).Elem()
		fill(val)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key"), val)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	}
}
