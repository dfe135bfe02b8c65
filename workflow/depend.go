package workflow

import (
	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/tasks"
)

// Lifecycles are lifecycles by hash.
type Lifecycles map[string]*fsm.Lifecycle

// end is how far a dependency has come.
type end int

const (
	underway  end = iota
	succeeded     // whoever waits for it may go on
	stuck         // it will not complete by itself
)

func (l Lifecycles) endOf(dep Loaded) end {
	if dep.ID == "" && dep.Err == nil {
		return stuck // it is gone
	}
	lc := l[dep.Lifecycle]
	if lc == nil {
		return underway
	}
	s, _ := lc.State(dep.State)
	switch {
	case s.Success:
		return succeeded
	case s.Terminal, GivenUp(lc, dep.State):
		return stuck
	}
	return underway
}

// Ended says whether a dependency is at an end, good or bad: who waits for it is
// to be looked at.
func (l Lifecycles) Ended(dep Loaded) bool { return l.endOf(dep) != underway }

// Grant publishes the job of a PRP whose turn at the merge lease has come: its
// member is at a place that its capacity makes an owner's.
func Grant(c Context, rec Record, member string, place int) (t Change, save bool, err error) {
	m := rec.Stage.Merge
	if m == nil || m.Member != member || m.Granted || place >= max(m.Capacity, 1) {
		return t, false, nil
	}
	d := begin(c, rec)
	d.rec.Stage.Merge.Granted = true
	d.remark(Input{Event: "lease_granted", Actor: ActorEngine, Reason: m.Lease})
	t, err = d.done()
	return t, err == nil, err
}

// Unleased says whether a claim needs a merge lease that nobody knew of when its
// job was published: the PRP names no repository, and the agent has one.
func Unleased(c Context, rec Record, claim tasks.Claim) bool {
	s, _ := c.Lifecycle.State(rec.State)
	return s.Capacity > 0 && rec.Repo == "" && rec.Stage.Merge == nil && c.Repos[claim.Agent] != "" && rec.Current(claim.Job, claim.Fence) && rec.Holder() == nil
}

// TakeLease takes back a job so that the PRP waits for the merge lease of an
// agent's repository first.
func TakeLease(c Context, rec Record, agent string) (t Change, save bool, err error) {
	d := begin(c, rec)
	d.raiseFence()
	d.rec.Stage.Work, d.rec.Stage.Merge = nil, d.member(c.Repos[agent])
	d.remark(Input{Event: EventLeaseLost, Actor: ActorEngine, Reason: "it needs the merge lease of " + c.Repos[agent] + ", the repository of " + agent})
	t, err = d.done()
	return t, err == nil, err
}

// LoseLease takes the job from a PRP that no longer owns its merge lease, since
// the store has lost that, and lets it wait for the lease again. What a run has
// reported meanwhile does not count; what it spent does.
func LoseLease(c Context, rec Record, member string, spent tasks.Usage, reason string) (t Change, save bool, err error) {
	m := rec.Stage.Merge
	if m == nil || m.Member != member || !m.Granted {
		return t, false, nil
	}
	d := begin(c, rec)
	if rec.Holder() != nil {
		d.rec.Stage.Runs--
	}
	d.rec.Usage = d.rec.Usage.Add(spent)
	d.rec.Stage.Work, d.rec.Stage.Merge = nil, nil
	d.remark(Input{Event: EventLeaseLost, Actor: ActorEngine, Reason: reason})
	t, err = d.done()
	return t, err == nil, err
}

// MemberPRP is the PRP of a member of a lease.
func MemberPRP(member string) string {
	id, _, err := parseMember(member)
	if err != nil {
		return member
	}
	return id
}
