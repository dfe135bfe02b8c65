package reliable

import "context"

// Pause stops handing out what waits, to whatever worker, until Resume. What is in
// hand is not touched, and pushing goes on.
func (q *Queue) Pause(ctx context.Context) error {
	if err := q.rdb.Set(ctx, q.keys.Paused, "1", 0).Err(); err != nil {
		return q.fail("pause", err)
	}
	return nil
}

// Resume undoes Pause. A worker that waits notices within a second.
func (q *Queue) Resume(ctx context.Context) error {
	if err := q.rdb.Del(ctx, q.keys.Paused).Err(); err != nil {
		return q.fail("resume", err)
	}
	return nil
}

// purgeAtOnce bounds how long one script keeps Redis busy.
const purgeAtOnce = 500

// Purge throws away what waits and what is delayed, and answers how many. What is in
// hand, and the dead letters, stay. What is pushed meanwhile may go too.
func (q *Queue) Purge(ctx context.Context) (dropped int, err error) {
	for more := true; more; {
		answer, err := q.scripts.purge.Run(ctx, q.rdb, q.all(), purgeAtOnce).Int64Slice()
		if err != nil {
			return dropped, q.fail("purge", err)
		}
		dropped, more = dropped+int(answer[0]), answer[1] == 1
	}
	return dropped, nil
}
