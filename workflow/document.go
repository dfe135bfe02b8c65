package workflow

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Create makes a record out of a submission and takes its first edges.
func Create(c Context, rec Record, actor string) (Change, error) {
	rec.State, rec.Fence, rec.Attempt, rec.Lifecycle = c.Lifecycle.Initial(), 0, 1, c.Lifecycle.Hash()
	d := begin(c, rec)
	d.was = Record{ID: rec.ID}
	d.moved = true
	d.note(Input{Event: EventSubmitted, Actor: actor}, "")
	d.startClock()
	return d.done()
}

// SameRequest says whether a submission asks for what the record already has.
func (r *Record) SameRequest(next Record) bool {
	return r.Document == next.Document && r.Priority == next.Priority && r.Repo == next.Repo &&
		sameSet(slices.Concat(r.DependsOn, r.Unresolved), slices.Concat(next.DependsOn, next.Unresolved))
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// Revise puts another document in the place of the old one. A run of the old one
// is stopped, and its work is published again: a result counts for the text that
// the run was given. One that the lint refuses replaces nothing, except while
// the PRP is still in its initial state.
func Revise(c Context, rec Record, next Record, actor string) (Change, error) {
	s, _ := c.Lifecycle.State(rec.State)
	switch {
	case s.Terminal:
		return Change{}, fmt.Errorf("%s: %w: it is %s and can no longer be revised", rec.ID, ErrConflict, rec.State)
	case len(next.Findings) > 0 && rec.State != c.Lifecycle.Initial():
		return Change{}, fmt.Errorf("%s: %w, so revision %d stays: %s", rec.ID, ErrUnfit, rec.Revision, strings.Join(next.Findings, "; "))
	}
	d := begin(c, rec)
	d.rec.Document, d.rec.Title, d.rec.Priority, d.rec.Repo = next.Document, next.Title, next.Priority, next.Repo
	d.rec.Source, d.rec.Findings = next.Source, slices.Clone(next.Findings)
	d.rec.DependsOn, d.rec.BlockedBy, d.rec.Unresolved = slices.Clone(next.DependsOn), slices.Clone(next.BlockedBy), slices.Clone(next.Unresolved)
	if d.rec.Document != rec.Document {
		d.rec.Revision++
	}
	in := Input{Event: EventRevise, Actor: actor}
	switch h := rec.Holder(); {
	case rec.Job() == nil:
	case h != nil && d.rec.Document != rec.Document:
		in.Reason = fmt.Sprintf("the run of %s has revision %d, it is stopped and its work published again", h.Agent, max(h.Revision, 1))
		d.withdraw()
	case rec.Stage.Merge != nil && CanonicalRepo(rec.Repo) != CanonicalRepo(next.Repo): // it needs another merge lease
		d.withdraw()
	case h == nil && rec.Priority != next.Priority && !rec.Stage.Work.waits(c.Now): // it belongs into another queue
		d.withdraw()
	}
	if d.rec.Document != rec.Document {
		d.rec.Stage.Approval = nil // what was shown was shown of another text
	}
	d.remark(in)
	return d.done()
}

// withdraw takes back the job that is out; a run of it counts no more.
func (d *draft) withdraw() {
	if d.rec.Holder() != nil {
		d.rec.Stage.Runs--
	}
	d.rec.Stage.Work = nil
}

// waits says whether the job waits for the time of its next run.
func (w *Work) waits(now time.Time) bool { return w.Retry != nil && w.Retry.At.After(now) }

// waitsFor says whether dependencies are what keeps the PRP where it is.
func (d *draft) waitsFor() bool {
	return !d.state().Working() && !d.rec.Stage.Asked && !GivenUp(d.Lifecycle, d.rec.State)
}

// Unblock notes which dependencies are not complete, and reports those that will
// not complete by themselves. save is false where nothing has changed.
func Unblock(c Context, rec Record, deps []Loaded, lifecycles Lifecycles) (t Change, save bool, err error) {
	if s, _ := c.Lifecycle.State(rec.State); s.Terminal || len(rec.BlockedBy) == 0 {
		return t, false, nil
	}
	d := begin(c, rec)
	d.rec.BlockedBy = nil
	for i, dep := range deps {
		id := rec.BlockedBy[i]
		end := lifecycles.endOf(dep)
		if end == succeeded {
			continue
		}
		d.rec.BlockedBy = append(d.rec.BlockedBy, id)
		if cause := "dependency " + id; end == stuck && d.waitsFor() && !slices.Contains(d.rec.Stage.Told, cause) {
			d.rec.Stage.Told = append(d.rec.Stage.Told, cause)
			d.tell("%s waits for %s, which will not complete by itself: revise it, or run `prpflow undepend %s`.", rec.ID, id, rec.ID)
		}
	}
	if slices.Equal(rec.BlockedBy, d.rec.BlockedBy) && len(rec.Stage.Told) == len(d.rec.Stage.Told) {
		return t, false, nil
	}
	t, err = d.done()
	return t, err == nil, err
}
