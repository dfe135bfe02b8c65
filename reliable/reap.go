package reliable

import (
	"context"
	"slices"
)

const (
	// remembered is how long a worker stays in takers after its lease, for the
	// sake of a BLMOVE that it sent and that reaches Redis late.
	remembered = lateCall
	// reapAtOnce workers and homeAtOnce messages bound how long one script keeps
	// Redis busy.
	reapAtOnce = 100
	homeAtOnce = 500
	tendAtOnce = 100
	// silent is why a message of a dead worker was not acknowledged.
	silent = "its worker died or went silent"
)

// Reap takes home the messages of workers whose lease has lapsed, and of those
// named, whose death is known: to the head of the queue, in their order, each
// with one more attempt. It answers how many. Of two dead workers, one's messages
// all come before the other's. While more than 500 messages of one worker go home, in
// several steps, Receive may give a message before an older one is home. Any process may call it,
// any number at once. The number is for the log: where go-redis sent a call twice
// it is the second's.
func (q *Queue) Reap(ctx context.Context, dead ...string) (int, error) {
	_, lapsed, err := q.tend(ctx)
	if err != nil {
		return 0, q.fail("reap", err)
	}
	home, err := q.reap(ctx, "lapsed", lapsed)
	if err != nil {
		return home, q.fail("reap", err)
	}
	more, err := q.reap(ctx, "named", dead)
	if err != nil {
		return home + more, q.fail("reap", err)
	}
	return home + more, nil
}

// Tend does what no worker does by itself: it has delayed messages delivered that
// are due, makes dead letters of expired ones, drops dead letters past Config.Retention,
// and takes home what dead workers had. Call it every second or two, from any
// process; Consume does.
func (q *Queue) Tend(ctx context.Context) error {
	for more := true; more; {
		var lapsed []string
		var err error
		if more, lapsed, err = q.tend(ctx); err != nil {
			return q.fail("tend", err)
		}
		if _, err := q.reap(ctx, "lapsed", lapsed); err != nil {
			return q.fail("tend", err)
		}
	}
	return nil
}

// tend answers whether there is more to do, and the workers whose lease has lapsed.
func (q *Queue) tend(ctx context.Context) (more bool, lapsed []string, err error) {
	answer, err := q.scripts.tend.Run(ctx, q.rdb, q.all(), tendAtOnce, max(0, q.cfg.Retention.Milliseconds())).Slice()
	if err != nil {
		return false, nil, err
	}
	for _, worker := range answer[1:] {
		name, _ := worker.(string)
		lapsed = append(lapsed, name)
	}
	return number(answer[0]) == 1, lapsed, nil
}

func (q *Queue) reap(ctx context.Context, why string, workers []string) (home int, err error) {
	for some := range slices.Chunk(workers, reapAtOnce) {
		keys, args := q.all(), []any{remembered.Milliseconds(), why, homeAtOnce, max(0, q.cfg.MaxAttempts), silent}
		for _, worker := range some {
			lists, err := q.listsOf(worker)
			if err != nil {
				return home, err
			}
			keys, args = append(keys, lists...), append(args, worker)
		}
		for more := true; more; {
			answer, err := q.scripts.reap.Run(ctx, q.rdb, keys, args...).Int64Slice()
			if err != nil {
				return home, err
			}
			home, more = home+int(answer[0]), answer[len(answer)-1] == 1 && len(answer) == 2
		}
	}
	return home, nil
}
