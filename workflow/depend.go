package workflow

import "github.com/prpflow/prpflow/fsm"

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
	lc := l[dep.Lifecycle]
	if dep.ID == "" || lc == nil {
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

// Grant publishes the job of a PRP whose turn at the merge lease has come.
func Grant(c Context, rec Record, member string) (t Change, save bool, err error) {
	m := rec.Stage.Merge
	if m == nil || m.Member != member || m.Granted {
		return t, false, nil
	}
	d := begin(c, rec)
	d.rec.Stage.Merge.Granted = true
	d.remark(Input{Event: "lease_granted", Actor: ActorEngine, Reason: m.Lease})
	t, err = d.done()
	return t, err == nil, err
}

// LoseLease takes the job from a PRP that no longer owns its merge lease, since
// the store has lost that, and lets it wait for the lease again. What a run has
// reported meanwhile does not count.
func LoseLease(c Context, rec Record, member, reason string) (t Change, save bool, err error) {
	m := rec.Stage.Merge
	if m == nil || m.Member != member || !m.Granted {
		return t, false, nil
	}
	d := begin(c, rec)
	if rec.Holder() != nil {
		d.rec.Stage.Runs--
	}
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
