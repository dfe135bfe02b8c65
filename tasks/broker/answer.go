package broker

import (
	"errors"
	"time"

	"github.com/hibiken/asynq"

	"github.com/prpflow/prpflow/tasks"
)

// retryDelay is the pause after an error that asks for none.
const retryDelay = 5 * time.Second

// answer is a handler's error in Asynq's terms. It is never nil inside, and
// never bare: Asynq's own errors are told apart by that.
type answer struct {
	err     error
	verdict error // asynq.RevokeTask, asynq.SkipRetry, or nil: again
}

func (a *answer) Error() string { return a.err.Error() }

func (a *answer) Unwrap() []error {
	if a.verdict == nil {
		return []error{a.err}
	}
	return []error{a.err, a.verdict}
}

// toAsynq translates what a handler has answered.
func toAsynq(err error) error {
	var permanent *tasks.PermanentError
	var again *tasks.RetryAfterError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, tasks.ErrStale):
		return &answer{err, asynq.RevokeTask}
	case errors.As(err, &permanent):
		// Of two words in one error the outer one counts.
		if errors.As(err, &again) && !errors.As(permanent.Err, &again) {
			return &answer{err: again}
		}
		return &answer{err, asynq.SkipRetry}
	default:
		return &answer{err: err}
	}
}

// isFailure keeps delays that a handler asked for out of the retry count.
func isFailure(err error) bool {
	var again *tasks.RetryAfterError
	return !errors.As(err, &again)
}

// delayOf says when a task is to be handed out again. Asynq cuts the time to
// whole seconds: one is added, so that it is never too early.
func delayOf(err error) time.Duration {
	var again *tasks.RetryAfterError
	switch {
	case errors.Is(err, asynq.ErrLeaseExpired):
		return 0
	case !errors.As(err, &again):
		return retryDelay
	case again.After <= 0:
		return 0
	default:
		return again.After + time.Second
	}
}
