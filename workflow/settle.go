package workflow

import (
	"slices"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/tasks"
)

// done closes a draft. Every change passes here: automatic edges are taken, the
// job that the state asks for is published or withdrawn, and what follows from
// the difference to the record that was read is put into the change.
func (d *draft) done() (Change, error) {
	d.settle()
	if !GivenUp(d.Lifecycle, d.rec.State) {
		d.rec.Failure = ""
	}
	d.arrange()
	d.rec.Schema, d.rec.Version, d.rec.Token = SchemaVersion, d.was.Version+1, d.Nonce
	d.follow()
	d.t.Token, d.t.SeenVersion, d.t.SeenToken, d.t.SeenState = d.Nonce, d.was.Version, d.was.Token, d.was.State
	d.t.Record, d.t.LookIn = d.rec, LookIn(d.rec, d.Now)
	if err := d.t.check(d.was, d.Lifecycle); err != nil {
		return Change{}, err
	}
	return d.t, nil
}

// settle takes the edges that the engine takes by itself, as long as there are.
func (d *draft) settle() {
	for range d.Lifecycle.States() {
		if d.rec.Paused || !d.step() {
			return
		}
	}
}

func (d *draft) step() bool {
	for _, edge := range d.Lifecycle.Edges(d.rec.State) {
		if !edge.Auto || !edge.Allows(ByEngine) {
			continue
		}
		if missing, err := edge.Check(d.facts(nil)); err == nil && len(missing) == 0 {
			d.move(edge, Input{Event: edge.Event, Actor: ActorEngine, By: ByEngine})
			return true
		}
	}
	return false
}

// arrange makes the publication what the state asks for: a working state has a
// job out, unless it is paused, waits for a person or for the merge lease. The
// lease is held as long as there is a job, and waited for only by who wants one.
func (d *draft) arrange() {
	s, st := d.state(), &d.rec.Stage
	if s.Terminal {
		*st, d.rec.Dead, d.rec.Reasons = Stage{}, nil, nil
	}
	if d.rec.Paused && st.Work != nil && st.Work.Holder == nil {
		st.Work = nil
	}
	if d.moved || d.was.Stage.Work != nil && st.Work == nil {
		d.raiseFence()
	}
	if st.Work != nil {
		return
	}
	lease := d.lease(s)
	if lease == "" && d.rec.Repo == "" && st.Merge != nil && s.Capacity > 0 {
		lease = st.Merge.Lease // the agents that name the repository are not there now
	}
	if st.Merge != nil && (st.Merge.Lease != lease || !d.wants(s)) {
		st.Merge = nil
	}
	switch {
	case !d.wants(s):
	case lease == "" || st.Merge != nil && st.Merge.Granted:
		d.publish(s)
	case st.Merge == nil:
		st.Merge = d.member(lease)
	}
}

// member is a new place on a merge lease.
func (d *draft) member(lease string) *Merge {
	return &Merge{Lease: lease, Member: tasks.NewJobID(d.rec.ID, d.rec.Fence, d.Nonce), Capacity: d.state().Capacity}
}

// wants says whether the state asks for a job now.
func (d *draft) wants(s fsm.State) bool {
	return s.Working() && !d.rec.Paused && d.rec.Stage.Approval == nil
}

// raiseFence makes what went before stale, once in a change.
func (d *draft) raiseFence() { d.rec.Fence = d.was.Fence + 1 }

// publish makes the job that the state asks for.
func (d *draft) publish(s fsm.State) {
	d.raiseFence()
	job := tasks.Job{
		ID: tasks.NewJobID(d.rec.ID, d.rec.Fence, d.Nonce), PRP: d.rec.ID, Fence: d.rec.Fence,
		Type: s.Task, Role: s.Role, Agent: d.rec.Agents[s.Role], Priority: d.rec.Priority, Timeout: s.Timeout,
	}
	if job.Priority == "" {
		job.Priority = s.Priority
	}
	d.rec.Stage.Work = &Work{Job: job}
	if n := len(d.t.History); n > 0 {
		d.t.History[n-1].Published = job.ID
	}
}

// follow puts into the change what the difference of the records asks for.
func (d *draft) follow() {
	d.followHolder()
	d.followJob()
	d.followMerge()
	d.followLetters()
	entered := d.moved && d.rec.State != d.was.State
	if s := d.state(); entered && (s.Terminal || GivenUp(d.Lifecycle, s.Name)) {
		d.send(OutboxEntry{Kind: SendLook})
	}
}

func (d *draft) followHolder() {
	if h := d.rec.Holder(); h != nil {
		d.t.Hold = h.Incarnation
	}
	if h := d.was.Holder(); h != nil && h.Incarnation != d.t.Hold {
		d.t.Release = h.Incarnation
	}
}

// followJob takes a superseded task out of the broker. One that somebody runs is
// left to him: he learns that it is stale and ends it.
func (d *draft) followJob() {
	old, now := d.was.Job(), d.rec.Job()
	if old != nil && now != nil && old.ID == now.ID {
		if d.was.Schema < SchemaVersion { // which did not note what is out
			d.t.Publish = tasks.JobRef{Job: now.ID, Queue: now.Queue}
		}
		return
	}
	if old != nil {
		d.t.Retire = tasks.JobRef{Job: old.ID, Queue: old.Queue}
		if d.was.Holder() == nil && old.ID != d.by {
			d.send(OutboxEntry{Kind: SendRemove, Queue: old.Queue, Job: old.ID})
		}
	}
	if now != nil {
		d.t.Publish = tasks.JobRef{Job: now.ID, Queue: now.Queue}
		job := *now
		d.send(OutboxEntry{ID: job.ID, Kind: SendTask, Task: &job})
	}
}

func (d *draft) followMerge() {
	old, now := d.was.Stage.Merge, d.rec.Stage.Merge
	if old != nil && now != nil && old.Member == now.Member {
		return
	}
	if old != nil {
		d.send(OutboxEntry{Kind: SendRelease, Lease: old.Lease, Member: old.Member, Capacity: old.Capacity})
	}
	if now != nil {
		d.send(OutboxEntry{Kind: SendAcquire, Lease: now.Lease, Member: now.Member, Capacity: now.Capacity})
	}
}

// followLetters keeps the store's dead letters those of the record. A letter
// that is gone leaves the broker's archive too.
func (d *draft) followLetters() {
	for _, l := range d.rec.Dead {
		if !slices.Contains(d.was.Dead, l) {
			d.t.Bury = append(d.t.Bury, l)
		}
	}
	for _, l := range d.was.Dead {
		if slices.ContainsFunc(d.rec.Dead, func(kept DeadLetter) bool { return kept.ID == l.ID }) {
			continue
		}
		d.t.Raise = append(d.t.Raise, l.ID)
		if l.Queue != "" {
			d.send(OutboxEntry{Kind: SendRemove, Queue: l.Queue, Job: l.ID})
		}
	}
}

// lease names the merge lease of a state that has a capacity: the PRP's
// repository, else that of the agents that work on it. "" is none.
func (d *draft) lease(s fsm.State) string {
	if s.Capacity <= 0 {
		return ""
	}
	if d.rec.Repo != "" {
		return CanonicalRepo(d.rec.Repo)
	}
	if repo := d.Repos[d.rec.Agents[s.Role]]; repo != "" {
		return repo
	}
	for _, role := range d.Lifecycle.Roles() {
		if repo := d.Repos[d.rec.Agents[role]]; repo != "" {
			return repo
		}
	}
	var repos []string
	for agent, repo := range d.Repos {
		if repo != "" && d.Roles[agent] == s.Role && !slices.Contains(repos, repo) {
			repos = append(repos, repo)
		}
	}
	if len(repos) == 1 { // with several, nobody knows which it will be
		return repos[0]
	}
	return ""
}

// GivenUp tells a state such as failed by the edge that starts anew.
func GivenUp(lc *fsm.Lifecycle, state string) bool {
	return slices.ContainsFunc(lc.Edges(state), func(e fsm.Edge) bool { return e.Resets })
}

// Touch changes nothing but the version: a request that has no effect uses its
// id up all the same.
func Touch(c Context, rec Record) (Change, error) { return begin(c, rec).done() }
