package simtest

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// wants is what the world expects of each PRP, told from what agents, persons
// and operators did, and not from its record. A failover takes it back too.
type wants struct {
	of      map[string]want
	counted map[string]bool // runs whose results count
	told    map[string]bool // messages that are due -> have arrived
}

// want is what is expected of a PRP. Its slices are never changed in place.
type want struct {
	document  string
	deps      []string
	reasons   []string
	questions []tasks.Exchange
	asker     string // state that asked
	attempt   int
	refused   int
	failures  int
	lost      int
	agents    map[string]string
}

func newWants() wants { return wants{map[string]want{}, map[string]bool{}, map[string]bool{}} }

func (w wants) clone() wants {
	return wants{maps.Clone(w.of), maps.Clone(w.counted), maps.Clone(w.told)}
}

// follow tells from a change what is expected of its PRP, and holds the record
// to it.
func (s *Sim) follow(before, after workflow.Record, c workflow.Change) {
	w := s.want.of[after.ID]
	var result tasks.Result
	if after.Delivered != before.Delivered {
		result = s.given[after.Delivered].Result
		w.lost = 0
	}
	for _, e := range c.History {
		s.followEntry(&w, before, after, e, result)
		told := slices.ContainsFunc(c.Outbox, func(o workflow.OutboxEntry) bool { return o.Kind == workflow.SendMessage })
		if (e.Event == "fail" || e.Event == "ask" || e.Event == "approval_asked") && !told {
			s.fail("%s: %s, and nobody is told", after.ID, e.Event)
		}
	}
	if h := after.Holder(); h != nil && (before.Holder() == nil || before.Holder().Run != h.Run) {
		w.agents = with(w.agents, after.Job().Role, h.Agent)
		s.claims[h.Run] = claimed{w, after}
	}
	s.want.of[after.ID] = w
	differs := func(what string, got, want any) { s.fail("%s: %s is %v, and should be %v", after.ID, what, got, want) }
	st := after.Stage
	switch {
	case after.Attempt != w.attempt:
		differs("attempt", after.Attempt, w.attempt)
	case after.Refused != w.refused:
		differs("the number of refusals", after.Refused, w.refused)
	case !slices.Equal(after.Reasons, w.reasons):
		differs("reasons", after.Reasons, w.reasons)
	case !slices.Equal(after.Questions, w.questions):
		differs("questions", after.Questions, w.questions)
	case st.Failures != w.failures:
		differs("the number of failures", st.Failures, w.failures)
	case st.Lost != w.lost:
		differs("the number of lost runs", st.Lost, w.lost)
	case after.Document != w.document:
		differs("the document", after.Document, w.document)
	case !maps.Equal(after.Agents, w.agents):
		differs("who had it", after.Agents, w.agents)
	}
	s.checkClock(before, after)
}

func with(m map[string]string, k, v string) map[string]string {
	c := maps.Clone(m)
	if c == nil {
		c = map[string]string{}
	}
	c[k] = v
	return c
}

// runRetries is how many failed runs the simulated agents are granted.
const runRetries = 2

func (s *Sim) followEntry(w *want, before, after workflow.Record, e workflow.Entry, result tasks.Result) {
	from, _ := s.lifecycle.State(e.From)
	switch e.Event {
	case workflow.EventSubmitted:
		*w = want{attempt: 1, document: after.Document}
		fallthrough
	case workflow.EventRevise:
		deps, known := s.texts[after.Document]
		if w.document, w.deps = after.Document, deps; !known {
			s.fail("%s has a document that nobody handed in", after.ID)
		}
		if before.ID != "" && before.Document != after.Document && (after.Holder() != nil || after.Stage.Approval != nil) {
			s.fail("%s is revised, and what was done for the text before goes on", after.ID)
		}
	case workflow.EventUndepend:
		w.deps = slices.DeleteFunc(slices.Clone(w.deps), func(id string) bool { d, _ := s.disk.Peek(id); return d.State != "complete" })
	case "run_failed":
		if w.failures++; w.failures > runRetries {
			s.fail("%s: %d failed runs, and it is not given up", after.ID, w.failures)
		}
	case "evidence_refused":
		s.followRefusal(w, after, from, result)
		if w.refused >= limitOf(from) {
			s.fail("%s: %d refusals, and it is not given up", after.ID, w.refused)
		}
	case workflow.EventRedeliver:
		if before.Holder() != nil {
			if w.lost++; w.lost >= workflow.MaxLost {
				s.fail("%s: %d lost runs, and it is not given up", after.ID, w.lost)
			}
		}
	}
	if e.From == e.To || e.From == "" || e.Event == from.Claim {
		return
	}
	if e.Actor == workflow.ActorEngine && after.Paused && (e.Event == "assign" || e.Event == "validate") {
		s.fail("%s goes on by itself while it is paused", after.ID)
	}
	s.followDone(after, from, e, result)
	switch e.Event {
	case "fail":
		s.followFailure(w, before, after, from, result)
	case "reject":
		w.refused, w.attempt = w.refused+1, w.attempt+1
		if w.reasons = result.Reasons; result.Outcome == "" && e.Reason != "" {
			w.reasons = []string{e.Reason}
		}
		if e.Actor != "ann" && w.refused >= limitOf(from) {
			s.fail("%s: rejected %d times, and it is not given up", after.ID, w.refused)
		}
	case "retry":
		if w.refused = 0; e.Actor == workflow.ActorEngine && !slices.ContainsFunc(before.Dead, func(l workflow.DeadLetter) bool { return s.rerun[l.ID] }) {
			s.fail("%s is started again, and nobody asked for it", after.ID)
		}
	case "ask":
		w.asker = e.From
		w.questions = append(slices.Clip(w.questions), tasks.Exchange{Question: result.Question})
	case "answer":
		if e.To != w.asker {
			s.fail("%s was asked about in %s, and is in %s after the answer", after.ID, w.asker, e.To)
		}
		w.questions = slices.Clone(w.questions)
		q := &w.questions[len(w.questions)-1]
		q.Answer, q.Answered = e.Reason, true
	case "assign":
		for _, dep := range w.deps {
			if d, _ := s.disk.Peek(dep); d.State != "complete" && s.weather.rolls == 0 {
				s.fail("%s goes on before %s is complete", after.ID, dep)
			}
		}
	case "submit", "approve", "finish", "cancel":
		w.reasons = nil
	}
	w.failures, w.lost = 0, 0
}

// followDone holds work that is accepted to its evidence, and to the person who
// has the last word.
func (s *Sim) followDone(after workflow.Record, from fsm.State, e workflow.Entry, result tasks.Result) {
	if e.Event != from.Results[string(tasks.Done)] || from.Name == "" {
		return
	}
	needs := map[string]string{"development": "lint_clean", "validation": "approved", "integration": "merged"}[from.Name]
	switch {
	case e.Evidence[needs] != true:
		s.fail("%s is accepted in %s without %s", after.ID, from.Name, needs)
	case from.Approval && e.Actor != "ann":
		s.fail("%s is approved by %s, and a person is to do it", after.ID, e.Actor)
	case e.Actor != "ann" && result.Outcome != tasks.Done:
		s.fail("%s is accepted in %s without a result", after.ID, from.Name)
	}
}

func limitOf(st fsm.State) int {
	if st.MaxRejections > 0 {
		return st.MaxRejections
	}
	return workflow.MaxRefusals
}

func (s *Sim) followRefusal(w *want, after workflow.Record, from fsm.State, result tasks.Result) {
	w.refused, w.attempt = w.refused+1, w.attempt+1
	if result.Outcome == tasks.Rejected {
		w.reasons = result.Reasons
		return
	}
	missing := map[string]string{"development": "lint_clean", "validation": "approved", "integration": "merged"}[from.Name]
	if w.reasons = after.Reasons; missing == "" || !strings.Contains(strings.Join(after.Reasons, "\n"), missing) {
		s.fail("%s: the reasons %q do not name what was missing, %s", after.ID, after.Reasons, missing)
	}
}

// followFailure holds a PRP that is given up to its cause.
func (s *Sim) followFailure(w *want, before, after workflow.Record, from fsm.State, result tasks.Result) {
	if len(after.Dead) != len(before.Dead)+1 || after.Failure == "" || after.Failure != after.Dead[len(after.Dead)-1].Reason {
		s.fail("%s is given up without a dead letter that says why: %+v", after.ID, after.Dead)
		return
	}
	dead, due := after.Dead[len(after.Dead)-1], before.Stage.Deadline
	if job := before.Job(); job != nil && (dead.ID != job.ID || dead.Queue != job.Queue) {
		s.fail("%s: the dead letter %s is not of the job %s", after.ID, dead.ID, job.ID)
	}
	fits := false
	switch dead.Cause {
	case workflow.CauseRetries:
		fits = w.failures == runRetries
	case workflow.CauseLost:
		fits = w.lost+1 == workflow.MaxLost && before.Holder() != nil
		s.poisoned = true
	case workflow.CauseRefused:
		s.followRefusal(w, after, from, result)
		fits = w.refused >= limitOf(from)
	case workflow.CauseDeadline:
		fits = !due.IsZero() && !s.clock.Before(due) && !before.Paused
	case workflow.CauseArchived:
		fits = before.Job() != nil && s.touched[before.Job().ID] && dead.Archived
	}
	if !fits {
		s.fail("%s is given up for the cause %q (%s): failures %d, lost %d, refused %d, deadline %v", after.ID, dead.Cause, dead.Reason, w.failures, w.lost, w.refused, due)
	}
}

// checkClock holds the deadline of a stay to its lifecycle, and to pauses. What
// was decided with is a time between the change before and now.
func (s *Sim) checkClock(before, after workflow.Record) {
	st, _ := s.lifecycle.State(after.State)
	at, left := after.Stage.Deadline, after.Stage.Left
	decidedAt := func(what string, whole time.Duration) {
		if then := at.Add(-whole); !at.IsZero() && (then.After(s.clock) || then.Before(before.UpdatedAt)) {
			s.fail("%s %s: its deadline is %v, %s after %v", after.ID, what, at, whole, then)
		}
	}
	switch {
	case st.Deadline == 0 && left == 0 && at.IsZero():
	case st.Deadline == 0:
		s.fail("%s has a deadline in %s", after.ID, after.State)
	case at.IsZero() && left == 0:
		s.fail("%s has no deadline in %s", after.ID, after.State)
	case before.State != after.State:
		decidedAt("enters "+after.State, st.Deadline)
	case before.Paused && !after.Paused:
		decidedAt("goes on", before.Stage.Left)
	case before.Paused == after.Paused && before.Fence == after.Fence && (!before.Stage.Deadline.Equal(at) || before.Stage.Left != left):
		s.fail("%s: its deadline moves from %v to %v", after.ID, before.Stage.Deadline, at)
	}
}

// claimed is what was expected, and what the record was, when a run got its job.
type claimed struct {
	want want
	rec  workflow.Record
}

// checkAssignment says that a run is told all that it needs, and the truth.
func (s *Sim) checkAssignment(run tasks.Run, a tasks.Assignment) {
	c, known := s.claims[run.ID]
	if !known {
		s.fail("the run %s got a job that it did not claim", run.ID)
		return
	}
	w := c.want
	differs := func(what string, got, want any) {
		s.fail("%s: the run %s is told the %s %v, and should be %v", run.PRP, run.ID, what, got, want)
	}
	answer := ""
	if n := len(w.questions); n > 0 {
		answer = w.questions[n-1].Answer
	}
	switch {
	case a.Job.ID != run.Job || a.Job.Type != run.Type || a.Job.PRP != run.PRP:
		differs("job", a.Job, run.Job)
	case a.Attempt != w.attempt:
		differs("attempt", a.Attempt, w.attempt)
	case !slices.Equal(a.Reasons, w.reasons):
		differs("reasons", a.Reasons, w.reasons)
	case !slices.Equal(a.Questions, w.questions):
		differs("questions", a.Questions, w.questions)
	case a.Answer != answer:
		differs("answer", a.Answer, answer)
	case a.SHA256 != w.document || sha(a.Document) != w.document:
		differs("document", a.SHA256, w.document)
	}
}
