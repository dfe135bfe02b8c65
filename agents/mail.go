package agents

import (
	"context"
	"encoding/json"
	"time"
)

// mailPatience bounds what is said to an inbox beside a run: a run never waits for it
// for long.
const mailPatience = 2 * time.Second

// noLetters are those of an agent without messages.
type noLetters struct{}

func (noLetters) Messages() []json.RawMessage  { return nil }
func (noLetters) Done(context.Context) error   { return nil }
func (noLetters) Return(context.Context) error { return nil }

// hold takes the messages for the agent of a run, if it is a command: a Go function
// has no task file, and may read an inbox itself. Where they cannot be read the run
// goes on without: they wait for the next one.
func (r *Runtime) hold(ctx context.Context, run *running) Letters {
	if r.cfg.Mail == nil || run.agent.spec.Exec == nil && run.agent.spec.Tmux == nil {
		return noLetters{}
	}
	ctx, cancel := context.WithTimeout(ctx, mailPatience)
	defer cancel()
	mail, err := r.cfg.Mail.Hold(ctx, run.Agent, run.agent.spec.Role)
	if err != nil {
		r.log.Warn("messages are not given to the run, they wait for the next one", "agent", run.Agent, "err", err)
		return noLetters{}
	}
	return mail
}

// settleMail acknowledges the messages of a run that came to an end, or gives them back.
// What cannot be said now comes back by itself, once more.
func (r *Runtime) settleMail(ctx context.Context, run *running, mail Letters, read bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), mailPatience)
	defer cancel()
	say := mail.Return
	if read {
		say = mail.Done
	}
	if err := say(ctx); err != nil {
		r.log.Warn("the run's messages are delivered again", "agent", run.Agent, "err", err)
	}
}
