package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/agents/inbox"
	"github.com/prpflow/prpflow/bus"
	"github.com/prpflow/prpflow/internal/redisconn"
)

// How often a long-lived process looks after messages.
const (
	tendEvery  = 2 * time.Second
	spoolEvery = 2 * time.Second
)

// post is what a long-lived process does for messages: every process empties the
// spool of its user, one that serves looks after the inboxes and listens to the bus.
func (n *node) post(serves bool, environment string) error {
	s, err := openSpool(n.cfg, n.log)
	if err != nil {
		return err
	}
	n.spool = s
	n.every(spoolEvery, n.emptySpool)
	if err := n.startDoorbell(environment); err != nil {
		return err
	}
	if !serves {
		return nil
	}
	n.every(tendEvery, n.inbox.Tend)
	if err := n.startPatrol(environment); err != nil {
		return err
	}
	n.bridge, err = bus.NewListener(n.rdb, bus.ListenerConfig{Log: n.log})
	if err != nil {
		return err
	}
	n.goes(func(ctx context.Context) { n.bridge.Listen(ctx, n.inbox.Hear) })
	return nil
}

// emptySpool sends what waits on disk.
func (n *node) emptySpool(ctx context.Context) error {
	sent, err := drainSpool(ctx, n.spool, n.inbox, false)
	if sent > 0 {
		n.log.Info("spooled messages were sent", "messages", sent)
	}
	if redisconn.IsUnavailable(err) {
		n.log.Log(ctx, slog.LevelDebug, "spooled messages wait", "err", err)
		return nil
	}
	return err
}

// mailRoom gives agents their messages.
type mailRoom struct{ *inbox.Inbox }

// Hold is agents.Mail.
func (m mailRoom) Hold(ctx context.Context, agent, role string) (agents.Letters, error) {
	own, err := m.Inbox.Hold(ctx, agent)
	if err != nil {
		return nil, err
	}
	if role == agent {
		return held{own}, nil
	}
	shared, err := m.Inbox.Hold(ctx, role)
	if err != nil { // its own are worth more than an error
		return held{own}, nil //nolint:nilerr // the role's wait for the next run
	}
	return held{own, shared}, nil
}

// held are the messages of several inboxes.
type held []*inbox.Held

// Messages is agents.Letters.
func (h held) Messages() (all []json.RawMessage) {
	for _, one := range h {
		all = append(all, one.Messages()...)
	}
	return all
}

// Done is agents.Letters.
func (h held) Done(ctx context.Context) error {
	var errs []error
	for _, one := range h {
		errs = append(errs, one.Done(ctx))
	}
	return errors.Join(errs...)
}

// Return is agents.Letters.
func (h held) Return(ctx context.Context) error {
	var errs []error
	for _, one := range h {
		errs = append(errs, one.Return(ctx))
	}
	return errors.Join(errs...)
}
