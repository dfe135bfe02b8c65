package reliable

import (
	"context"
	"slices"
	"time"
)

const (
	// remembered is how long a worker stays in takers after its lease, for the
	// sake of a BLMOVE that it sent and that reaches Redis late.
	remembered = time.Hour
	// reapAtOnce workers and homeAtOnce messages bound how long one script keeps
	// Redis busy.
	reapAtOnce = 100
	homeAtOnce = 500
)

// Reap takes home the messages of workers whose lease has lapsed, and of those
// named, whose death is known: to the head of the queue, in their order, each
// with one more attempt. It answers how many. Of two dead workers, one's messages
// all come before the other's. While more than 500 messages of one worker go home, in
// several steps, Receive may give a message before an older one is home. Any process may call it,
// any number at once. The number is for the log: where go-redis sent a call twice
// it is the second's.
func (q *Queue) Reap(ctx context.Context, dead ...string) (int, error) {
	lapsed, err := q.scripts.lapsed.Run(ctx, q.rdb, []string{q.keys.Takers}).StringSlice()
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

func (q *Queue) reap(ctx context.Context, why string, workers []string) (home int, err error) {
	for some := range slices.Chunk(workers, reapAtOnce) {
		keys, args := []string{q.keys.Pending, q.keys.Takers, q.keys.Messages}, []any{remembered.Milliseconds(), why, homeAtOnce}
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
