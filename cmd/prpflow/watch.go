package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/redisstore"
)

func (p *program) watchCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "watch [ID…]",
		Short: "Watch PRPs move: all until Ctrl-C, or the named ones until they are done",
		Long: "Watch PRPs move. Named ones are watched until all are done; the exit code is 5 if one of them\n" +
			"failed or was cancelled. Without a terminal, or with --json, each move is a line.",
		RunE: p.reads(func(cmd *cobra.Command, ids []string, d *desk) error {
			for _, id := range ids {
				v, err := d.engine.Show(cmd.Context(), id)
				if err != nil {
					return unknown(id, err)
				}
				if !asJSON {
					fmt.Fprintln(p.out, standing(v))
				}
			}
			f := p.follower(d, ids, asJSON)
			f.onlyNews = true
			if len(ids) == 0 {
				_, err := f.run(cmd.Context(), func([]workflow.View) bool { return false })
				if cmd.Context().Err() != nil {
					return nil
				}
				return err
			}
			return f.toTheEnd(cmd.Context())
		}),
	}
	return jsonFlag(c, &asJSON)
}

// wait watches what was submitted until all of it is done.
func (p *program) wait(ctx context.Context, d *desk, ids []string) error {
	return p.follower(d, ids, false).toTheEnd(ctx)
}

// follower shows what happens: a picture of all where there is a terminal, a
// line per move elsewhere.
type follower struct {
	d        *desk
	ids      []string // empty: all
	onlyNews bool     // what happened before the first look is not shown
	move     func(id string, e workflow.Entry)
	picture  *picture // nil: lines only

	broken func() error      // the output cannot be written
	say    func(line string) // news that is no move; nil where nobody reads it
	seen   map[string]shownTo
}

// shownTo says how much of a PRP's history has been shown.
type shownTo struct {
	version int64
	entries int
	why     string // it waits for
}

func (p *program) follower(d *desk, ids []string, asJSON bool) *follower {
	f := &follower{broken: func() error { return p.screen.failed }, d: d, ids: ids, seen: map[string]shownTo{}}
	f.move = func(id string, e workflow.Entry) { fmt.Fprintln(p.out, moveLine(id, e)) }
	f.say = func(line string) { fmt.Fprintln(p.out, line) }
	switch {
	case asJSON:
		f.say = nil
		f.move = func(id string, e workflow.Entry) {
			_ = p.asLine(struct {
				ID string `json:"id"`
				line
			}{id, lines([]workflow.Entry{e})[0]})
		}
	case isTerminal(p.screen.to):
		f.picture, f.say = &picture{out: p.screen.to}, nil // the picture says it
		f.move = func(id string, e workflow.Entry) { f.picture.above(agents.Printable(moveLine(id, e))) }
	}
	return f
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// moveLine tells of one entry of a history.
func moveLine(id string, e workflow.Entry) string {
	s := fmt.Sprintf("%s %s ", e.At.Local().Format("15:04:05"), id)
	switch {
	case e.From == "":
		s += e.To
	case e.From == e.To:
		s += e.To + ", " + strings.ReplaceAll(e.Event, "_", " ")
	default:
		s += e.From + " → " + e.To + " (" + e.Event + ")"
	}
	s += " by " + e.Actor
	if e.Reason != "" {
		s += ": " + oneLine(e.Reason, 200)
	}
	return s
}

// toTheEnd follows until all are done, and fails if one of them did.
func (f *follower) toTheEnd(ctx context.Context) error {
	views, err := f.run(ctx, func(views []workflow.View) bool {
		return !slices.ContainsFunc(views, func(v workflow.View) bool { return !v.Terminal && !v.Failed })
	})
	if err != nil {
		return err
	}
	var bad []string
	for _, v := range views {
		if !v.Success {
			bad = append(bad, v.ID+" is "+v.State)
		}
	}
	if len(bad) > 0 {
		return &coded{errFailed, strings.Join(bad, ", ")}
	}
	return nil
}

// settle is how long further news is waited for before looking: a burst is
// looked at once.
const (
	settle    = 20 * time.Millisecond
	lookAgain = time.Second // news travels by a way that may lose it
)

// run follows until the views say that it is enough.
func (f *follower) run(ctx context.Context, enough func([]workflow.View) bool) ([]workflow.View, error) {
	sub := f.d.rdb.Subscribe(ctx, redisstore.EventsChannel)
	defer sub.Close()
	news := sub.Channel()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for first := true; ; first = false {
		views, err := f.look(ctx, first && f.onlyNews)
		if err != nil {
			return views, err
		}
		if enough(views) {
			return views, nil
		}
		select {
		case <-ctx.Done():
			return views, ctx.Err()
		case <-tick.C:
		case <-news:
			drain(ctx, news, settle)
		}
	}
}

// drain takes what comes within d.
func drain[T any](ctx context.Context, c <-chan T, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			return
		case _, ok := <-c:
			if !ok {
				return
			}
		}
	}
}

// look shows what has happened since the last look.
func (f *follower) look(ctx context.Context, quiet bool) ([]workflow.View, error) {
	views, err := f.views(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range views {
		if err := f.lookAt(ctx, v, quiet); err != nil {
			return nil, err
		}
	}
	if f.picture != nil {
		f.picture.draw(views)
	}
	return views, f.broken()
}

// lookAt shows what has happened to one, and what it waits for where that is news.
func (f *follower) lookAt(ctx context.Context, v workflow.View, quiet bool) error {
	s := f.seen[v.ID]
	if s.version != v.Version {
		entries, err := f.d.engine.History(ctx, v.ID)
		if err != nil {
			return err
		}
		if !quiet {
			for _, e := range entries[min(s.entries, len(entries)):] {
				f.move(v.ID, e)
			}
		}
		s.version, s.entries = v.Version, len(entries)
	}
	if f.say != nil && v.Why != s.why && v.Why != "" && !v.Terminal && !v.Running && !quiet && !f.passing(v) {
		f.say(v.ID + " waits: " + oneLine(v.Why, 200))
	}
	s.why = v.Why
	f.seen[v.ID] = s
	return nil
}

// passing says that a PRP is about to be picked up: nobody need be told.
func (f *follower) passing(v workflow.View) bool {
	return strings.HasPrefix(v.Why, "waiting in the queue of ") && time.Since(v.UpdatedAt) < 2*lookAgain
}

func (f *follower) views(ctx context.Context) ([]workflow.View, error) {
	if len(f.ids) == 0 {
		return f.d.engine.List(ctx)
	}
	views := make([]workflow.View, len(f.ids))
	for i, id := range f.ids {
		var err error
		if views[i], err = f.d.engine.Show(ctx, id); err != nil {
			return nil, err
		}
	}
	return views, nil
}
