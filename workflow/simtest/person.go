package simtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
)

// asked is something that a person asked for, and was told is done.
type asked struct {
	prp, event, mark string
	granted          bool
	lost             bool // a failover may have undone it
}

const document = "# %s - Simulated\n\n## Success Criteria\n- [ ] it ends\n"

// wishes is what a person does: hand PRPs in, then interfere with them.
func (p *process) wishes() {
	s := p.sim
	ctx := context.Background()
	if s.kind.still {
		s.sleep(time.Second) // everybody is there
	}
	n, gap := 1+s.rng.IntN(3), 2000
	if s.kind.crowd > 0 {
		n, gap = s.kind.crowd, 20
	}
	var ids []string
	for i := range n {
		id := fmt.Sprintf("PRP-%d", i+1)
		sub := engine.Submission{ID: id, Source: id + ".md", Actor: "ann"}
		sub.Repo = []string{"", "", "repo", "repo", "/srv/x", "/srv/../srv/x/"}[s.rng.IntN(6)]
		sub.Priority = []string{"", "", "", "P0", "P3"}[s.rng.IntN(5)]
		if i > 0 && s.rng.IntN(3) == 0 {
			sub.Depends = []string{ids[s.rng.IntN(i)]}
		}
		if s.kind.crowd == 130 && i > 0 { // more dependants than are looked at in one go
			sub.Depends = []string{ids[0]}
		}
		s.write(&sub)
		p.until(func() error { _, err := p.engine.Submit(ctx, []engine.Submission{sub}); return err })
		ids = append(ids, id)
		s.sleep(time.Duration(s.rng.IntN(gap)) * time.Millisecond)
	}
	for range s.rng.IntN(4) {
		s.sleep(time.Duration(s.rng.IntN(6000)) * time.Millisecond)
		id := ids[s.rng.IntN(n)]
		switch s.rng.IntN(8) {
		case 0:
			p.revise(ctx, id)
			continue
		case 1, 2:
			if !s.kind.still {
				p.meddle()
				continue
			}
		}
		p.wish(ctx, id)
	}
	p.wishing = false
	p.help(ctx, ids)
}

// revise puts another document in the place of a PRP's.
func (p *process) revise(ctx context.Context, id string) {
	r, _ := p.sim.disk.Peek(id)
	sub := engine.Submission{ID: id, Source: id + ".md", Revise: true, Actor: "ann", Repo: r.Repo}
	p.sim.write(&sub)
	p.until(func() error { _, err := p.engine.Submit(ctx, []engine.Submission{sub}); return err })
}

// write writes a document that nobody has written before.
func (s *Sim) write(sub *engine.Submission) {
	sub.Text = []byte(fmt.Sprintf(document, "PRP") + "\n" + s.id("text ") + "\n")
	s.texts[sha(sub.Text)] = sub.Depends
}

func sha(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// wish fires an event, with a request id more often than not.
func (p *process) wish(ctx context.Context, id string) {
	s := p.sim
	events := []string{"pause", "resume", "pause", "resume", "cancel", "answer", "retry", "approve", "reject", "undepend"}
	w := &asked{prp: id, event: events[s.rng.IntN(len(events))], mark: s.id("because-")}
	s.asked = append(s.asked, w)
	tr := workflow.Trigger{PRP: id, Event: w.event, Actor: "ann", Reason: w.mark, RequestID: w.mark}
	if w.event == "answer" {
		tr.Answer = w.mark
	}
	p.until(func() error {
		_, err := p.engine.Trigger(ctx, tr)
		w.granted = err == nil
		return err
	})
	if w.granted && s.rng.IntN(3) == 0 {
		p.again(ctx, tr)
	}
}

// again sends a request that was granted once more, then its id for something else.
func (p *process) again(ctx context.Context, tr workflow.Trigger) {
	s := p.sim
	rolls := s.weather.rolls
	s.sleep(time.Duration(s.rng.IntN(3000)) * time.Millisecond)
	p.until(func() error {
		_, err := p.engine.Trigger(ctx, tr)
		if s.weather.rolls == rolls && err != nil && !unsure(err) {
			s.fail("the request %s was granted, then refused: %v", tr.RequestID, err)
		}
		return err
	})
	tr.Event = "finish"
	p.until(func() error {
		_, err := p.engine.Trigger(ctx, tr)
		if s.weather.rolls == rolls && !unsure(err) && !errors.Is(err, workflow.ErrConflict) {
			s.fail("the request id %s, used once more for something else: %v", tr.RequestID, err)
		}
		return err
	})
}

// unsure says that an error tells nothing of what was asked.
func unsure(err error) bool {
	return errors.Is(err, workflow.ErrUnavailable) || errors.Is(err, workflow.ErrUnreadable)
}

// sound says that an error is none that the program itself is to blame for.
func (s *Sim) sound(err error) {
	if errors.Is(err, workflow.ErrBroken) {
		s.fail("%v", err)
	}
}

// until repeats what was not answered.
func (p *process) until(f func() error) {
	for {
		err := f()
		if p.sim.sound(err); !unsure(err) {
			if err != nil {
				p.sim.say("refused: %v", err)
			}
			return
		}
		p.sim.sleep(500 * time.Millisecond)
	}
}

// help does, once the faults are over, what only a person can do: answer,
// resume, retry.
func (p *process) help(ctx context.Context, ids []string) {
	s := p.sim
	for !s.quiet {
		// This actor does not keep the chaos going.
		s.sleep(time.Second)
	}
	for {
		s.broker.letGo()
		for _, id := range ids {
			if r, _ := s.disk.Peek(id); r.State == "complete" || r.State == "cancelled" {
				continue // there is nothing to help with, and asking costs the most
			}
			v, err := p.engine.Show(ctx, id)
			if err != nil {
				continue
			}
			if v.Why == "" && !v.Running && !v.Success {
				s.fail("%s does not move, and nobody says why: %s", id, v.State)
			}
			r, _ := s.disk.Peek(id)
			if s.weather.damaged[id] {
				continue
			}
			switch {
			case v.Paused && !v.Terminal:
				p.ask(ctx, id, "resume")
			case r.Stage.Approval != nil:
				p.ask(ctx, id, r.Stage.Approval.Event)
			case v.State == "blocked":
				p.ask(ctx, id, "answer")
			case v.Failed:
				p.ask(ctx, id, "retry")
			}
		}
		s.sleep(3 * time.Second)
	}
}

func (p *process) ask(ctx context.Context, id, event string) {
	_, err := p.engine.Trigger(ctx, workflow.Trigger{PRP: id, Event: event, Actor: "ann", Answer: "that one"})
	p.sim.sound(err)
	if err != nil {
		p.sim.say("refused: %v", err)
	}
}
