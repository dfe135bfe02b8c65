package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/agents/inbox"
	"github.com/prpflow/prpflow/internal/config"
	"github.com/prpflow/prpflow/internal/redisconn"
	"github.com/prpflow/prpflow/reliable"
	"github.com/prpflow/prpflow/reliable/spool"
)

// postOffice sends messages, through the spool while Redis is unreachable.
type postOffice struct {
	cfg   config.Config
	rdb   redis.UniversalClient
	inbox *inbox.Inbox
	spool *spool.Spool
	away  error // why Redis cannot be asked
}

// postOffice opens what `send` needs. That Redis is unreachable is no error here.
func (p *program) postOffice(cmd *cobra.Command) (*postOffice, error) {
	cfg, err := p.config(cmd)
	if err != nil {
		return nil, err
	}
	rdb, err := redisconn.Open(cfg.Redis, redisconn.Options{})
	if err != nil {
		return nil, err
	}
	o := &postOffice{cfg: cfg, rdb: rdb}
	o.away = redisconn.Ping(cmd.Context(), rdb)
	if o.away != nil && !redisconn.IsUnavailable(o.away) {
		_ = rdb.Close()
		return nil, o.away
	}
	if o.inbox, err = inbox.New(rdb, inboxConfig(cfg, nil)); err == nil {
		o.spool, err = openSpool(cfg, p.warner())
	}
	if err != nil {
		_ = rdb.Close()
		return nil, err
	}
	return o, nil
}

func (o *postOffice) close() { _ = o.rdb.Close() }

func inboxConfig(cfg config.Config, log *slog.Logger) inbox.Config {
	return inbox.Config{Limit: cfg.MessagesLimit, Log: log}
}

func openSpool(cfg config.Config, log *slog.Logger) (*spool.Spool, error) {
	return spool.Open(spool.Config{Dir: cfg.SpoolDir, Log: log})
}

// send sends a message behind what is spooled, or spools it.
func (o *postOffice) send(ctx context.Context, d inbox.Draft) (id string, fresh, spooled bool, err error) {
	if err := d.Fill(); err != nil {
		return "", false, false, err
	}
	why := o.away
	if why == nil {
		if _, why = drainSpool(ctx, o.spool, o.inbox, false); why == nil {
			_, fresh, why = o.inbox.Send(ctx, d)
		}
	}
	switch {
	case why == nil:
		return d.ID, fresh, false, nil
	case !redisconn.IsUnavailable(why) || ctx.Err() != nil:
		return "", false, false, why
	}
	d.Timestamp = time.Now().UTC()
	record, err := json.Marshal(d)
	if err != nil {
		return "", false, false, err
	}
	return d.ID, true, true, o.spool.Append(ctx, spool.Record{Queue: d.To, ID: d.ID, At: d.Timestamp, Body: record})
}

// drainSpool sends what is spooled, in order.
func drainSpool(ctx context.Context, s *spool.Spool, box *inbox.Inbox, force bool) (n int, err error) {
	push := func(ctx context.Context, records []spool.Record) error {
		for _, r := range records {
			if err := pushSpooled(ctx, box, r); err != nil {
				return err
			}
		}
		return nil
	}
	if force {
		return s.DrainAll(ctx, push)
	}
	return s.Drain(ctx, push)
}

func pushSpooled(ctx context.Context, box *inbox.Inbox, r spool.Record) error {
	var d inbox.Draft
	if err := json.Unmarshal(r.Body, &d); err != nil {
		d = inbox.Draft{ID: r.ID, To: r.Queue, Text: string(r.Body), Timestamp: r.At}
	}
	age := max(0, time.Since(r.At))
	d.Window = spool.DefaultKeep
	d.Delay = max(0, d.Delay-age).Truncate(time.Millisecond)
	if d.TTL > 0 {
		d.TTL = max(time.Millisecond, d.TTL-age) // a dead letter in a moment, where it is over
	}
	_, _, err := box.Send(ctx, d)
	if err != nil && !redisconn.IsUnavailable(err) && ctx.Err() == nil { // it would hold up all that follows
		d.Dead = "it could not be sent from a spool: " + err.Error()
		d.TTL, d.Delay, d.Backoff, d.MaxAttempts = 0, 0, 0, 0
		if _, _, derr := box.Send(ctx, d); derr == nil {
			return nil
		}
	}
	return err
}

// sendError turns an error of an inbox into a sentence with the right exit code.
func sendError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, inbox.ErrName), errors.Is(err, inbox.ErrTooLong):
		return &coded{errUsage, err.Error()}
	case errors.Is(err, reliable.ErrFull):
		return &coded{errRefused, fmt.Sprintf("%v: nobody takes its messages; look with `prpflow queue list`, or raise messages.limit", err)}
	case errors.Is(err, spool.ErrFull):
		return &coded{errRefused, fmt.Sprintf("Redis cannot be reached, and %v", err)}
	}
	return err
}
