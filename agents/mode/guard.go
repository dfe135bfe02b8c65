package mode

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/reliable"
)

// The conditions under which the message lane is rolled back.
const (
	Unavailable = "unavailable" // the queue could not be used for over five minutes
	Imbalance   = "imbalance"   // messages are missing
	Slow        = "slow"        // messages wait half as long again as in the first hour
)

// Found is a condition that holds.
type Found struct {
	Condition string
	Text      string
}

// Limits of the conditions; a zero field has the value of the plan for a rollback.
type Limits struct {
	Away     time.Duration // 5 min
	Slower   float64       // 1.5: times the 95th percentile of the baseline
	Floor    time.Duration // 100 ms: what messages may wait whatever the baseline
	Baseline time.Duration // 1 h: the first after the switch was turned to redis
	Window   time.Duration // 10 min: what is compared with it
	Least    int64         // 100: so many messages must have been delivered in both
}

func (l Limits) filled() Limits {
	l.Away = cmp.Or(l.Away, 5*time.Minute)
	l.Slower = cmp.Or(l.Slower, 1.5)
	l.Floor = cmp.Or(l.Floor, 100*time.Millisecond)
	l.Baseline = cmp.Or(l.Baseline, time.Hour)
	l.Window = cmp.Or(l.Window, 10*time.Minute)
	l.Least = cmp.Or(l.Least, 100)
	return l
}

// Guard watches whether the message lane should be rolled back.
type Guard struct {
	rdb    redis.UniversalClient
	sw     *Switch
	limits Limits
	now    func() time.Time

	answered time.Time // when Redis last did
	samples  []sample  // of the last window, the oldest first
}

type sample struct {
	at    time.Time
	waits reliable.Waits
}

// NewGuard makes a guard on a client that the caller keeps and closes.
func NewGuard(rdb redis.UniversalClient, sw *Switch, limits Limits) (*Guard, error) {
	if rdb == nil || sw == nil {
		return nil, errors.New("mode: a guard needs a Redis client and a switch")
	}
	return &Guard{rdb: rdb, sw: sw, limits: limits.filled(), now: time.Now, answered: time.Now()}, nil
}

// Books are those of one queue.
type Books struct {
	Queue string
	reliable.Books
}

// Look says which conditions hold. The error is why the books could not be read, nil
// where they could.
func (g *Guard) Look(ctx context.Context, books []Books, unread error) ([]Found, error) {
	now := g.now()
	if unread != nil {
		if away := now.Sub(g.answered); away > g.limits.Away {
			return []Found{{Unavailable, fmt.Sprintf("the queues could not be used for %s: %v", away.Truncate(time.Second), unread)}}, nil
		}
		return nil, nil
	}
	g.answered = now
	var found []Found
	waits := reliable.Waits{}
	for _, b := range books {
		waits.Add(b.Waits)
		if missing := b.Imbalance(); missing != 0 {
			found = append(found, Found{Imbalance, fmt.Sprintf("the books of %s do not balance: %s", b.Queue, b.Books)})
		}
	}
	slow, err := g.slow(ctx, now, waits)
	return append(found, slow...), err
}

// baseline is what was counted in the first hour after the switch was turned to redis.
type baseline struct {
	Since time.Time      `json:"since"`
	Start reliable.Waits `json:"start"` // what had been counted then
	End   reliable.Waits `json:"end"`   // and at the end of the hour, nil before
}

const baselineKey = "{mode}:baseline"

func (g *Guard) slow(ctx context.Context, now time.Time, waits reliable.Waits) ([]Found, error) {
	base, err := g.base(ctx, now, waits)
	if err != nil {
		return nil, err
	}
	g.samples = append(g.samples, sample{now, waits})
	for len(g.samples) > 1 && now.Sub(g.samples[1].at) >= g.limits.Window {
		g.samples = g.samples[1:]
	}
	if base.End == nil {
		return nil, nil
	}
	before, recent := base.End.Since(base.Start), waits.Since(g.samples[0].waits)
	if before.Count() < g.limits.Least || recent.Count() < g.limits.Least {
		return nil, nil
	}
	was, is := before.Quantile(0.95), recent.Quantile(0.95)
	if is <= g.limits.Floor || float64(is) <= float64(was)*g.limits.Slower {
		return nil, nil
	}
	return []Found{{Slow, fmt.Sprintf("95 %% of messages wait up to %s, and waited up to %s in the first hour after the switch to redis", is.Round(time.Millisecond), was.Round(time.Millisecond))}}, nil
}

// base reads the baseline, and begins or ends it where it is time.
func (g *Guard) base(ctx context.Context, now time.Time, waits reliable.Waits) (baseline, error) {
	turned, err := g.turned(ctx)
	if err != nil {
		return baseline{}, err
	}
	var b baseline
	text, err := g.rdb.Get(ctx, baselineKey).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return b, fmt.Errorf("mode: read the baseline: %w", err)
	}
	known := err == nil && json.Unmarshal([]byte(text), &b) == nil
	switch {
	case !known || turned.After(b.Since):
		b = baseline{Since: now, Start: waits}
	case b.End == nil && now.Sub(b.Since) >= g.limits.Baseline:
		b.End = waits
	default:
		return b, nil
	}
	raw, err := json.Marshal(b)
	if err == nil {
		err = g.rdb.Set(ctx, baselineKey, raw, 0).Err()
	}
	if err != nil {
		return b, fmt.Errorf("mode: write the baseline: %w", err)
	}
	return b, nil
}

// turned is when the switch for all was last turned to redis, zero where it never was.
func (g *Guard) turned(ctx context.Context) (time.Time, error) {
	changes, err := g.sw.Changes(ctx, changesKept)
	if err != nil {
		return time.Time{}, err
	}
	for _, c := range changes {
		if c.Agent == "" && c.Mode == Redis {
			return c.At, nil
		}
	}
	return time.Time{}, nil
}
